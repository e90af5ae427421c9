/** What the storage service is configured with. What pools there are is written on the drives themselves. */
import type { Host } from '@incusos/host';
import { openState, type StateStore } from '@incusos/state';
import { stateDirectory } from '../keys.ts';

/** Injects the service's `StateStore<StorageState>`. */
export const STORAGE_STATE = Symbol('storage-state');

export interface StorageState {
  /** Five-field cron expressions in the system's time zone; an empty one switches it off. */
  readonly scrub_schedule: string;
  readonly trim_schedule: string;
}

const defaults: StorageState = {
  // Sunday, 04:00.
  scrub_schedule: '0 4 * * 0',
  // Two hours before, so that it is over by then.
  trim_schedule: '0 2 * * 0',
};

function validate(data: unknown): StorageState {
  if (typeof data !== 'object' || data === null) throw new Error('it is not an object');
  const { scrub_schedule, trim_schedule } = { ...defaults, ...data } as Record<keyof StorageState, unknown>;
  if (typeof scrub_schedule !== 'string' || typeof trim_schedule !== 'string')
    throw new Error('a schedule is not a text');
  return { scrub_schedule, trim_schedule };
}

export function openStorageState(host: Host): Promise<StateStore<StorageState>> {
  return openState(host, { directory: stateDirectory, version: 1, initial: () => defaults, validate });
}
