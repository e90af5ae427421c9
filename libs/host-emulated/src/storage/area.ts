import type { Area } from '../area.ts';

export const storage: Area = {
  name: 'storage',
  tools: {},
  populate: () => Promise.resolve(),
  powerOff: () => Promise.resolve(),
  commands: [],
};
