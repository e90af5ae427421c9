import type { Area } from '../area.ts';

export const system: Area = {
  name: 'system',
  tools: {},
  populate: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  commands: [],
};
