import type { Area } from '../area.ts';

export const network: Area = {
  name: 'network',
  tools: {},
  populate: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  commands: [],
};
