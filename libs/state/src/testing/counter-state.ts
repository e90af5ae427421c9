import type { StateDefinition } from '../state-store.ts';

/** A state whose parts only fit together when a file is whole: `padding` is as long as `count` says. */
export interface Counter {
  readonly count: number;
  readonly padding: string;
}

export const counterState: StateDefinition<Counter> = {
  directory: '/var/lib/incus-os/counter',
  version: 1,
  initial: () => ({ count: 0, padding: '' }),
  validate: (data) => {
    if (typeof data !== 'object' || data === null || !('count' in data) || !('padding' in data))
      throw new Error('it is no counter');
    const { count, padding } = data;
    if (typeof count !== 'number' || typeof padding !== 'string') throw new Error('it is no counter');
    if (padding.length !== count % 5000) throw new Error('its parts do not fit together');
    return { count, padding };
  },
  keep: 3,
};
