import type { Area } from '../area.ts';

export const security: Area = {
  name: 'security',
  tools: {},
  populate: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  commands: [],
};
