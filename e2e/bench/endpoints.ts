import type { Load } from './load.ts';

function read(path: string): Load {
  return { method: 'GET', path: `/os/1.0${path}` };
}

/** Every read that a fleet's tools repeat. */
export const reads: readonly Load[] = [
  read(''),
  read('/applications'),
  read('/applications/incus'),
  read('/debug/kernel'),
  read('/services'),
  read('/system'),
  read('/system/fallback-listener'),
  read('/system/kernel'),
  read('/system/logging'),
  read('/system/network'),
  read('/system/provider'),
  read('/system/resources'),
  read('/system/security'),
  read('/system/storage'),
  read('/system/update'),
];

/** One change that is saved to disk and starts nothing. */
export const write: Load = {
  method: 'PUT',
  path: '/os/1.0/system/update',
  body: (index) =>
    JSON.stringify({
      config: { auto_reboot: false, channel: 'stable', check_frequency: index % 2 === 0 ? '6h' : '7h' },
    }),
};
