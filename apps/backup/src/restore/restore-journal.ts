/**
 * What the backup service remembers about a restore under way.
 *
 * Invariant: while the phase is `staging` no service has changed; from the moment `committing` is on disk all of them
 * will.
 */
import type { Host } from '@incusos/host';
import { openState, type StateDefinition, type StateStore } from '@incusos/state';

export interface RestoreEntry {
  readonly id: string;
  readonly phase: 'staging' | 'committing';
  readonly services: readonly string[];
  /** RFC 3339. */
  readonly started_at: string;
}

export interface RestoreJournal {
  readonly restore?: RestoreEntry;
}

export type RestoreJournalStore = StateStore<RestoreJournal>;
export const RESTORE_JOURNAL = Symbol('restore-journal');

const definition: StateDefinition<RestoreJournal> = {
  directory: '/var/lib/incus-os/backup',
  version: 1,
  initial: () => ({}),
  validate: (data) => {
    if (typeof data !== 'object' || data === null) throw new Error('it is no journal');
    if (!('restore' in data) || data.restore === undefined) return {};
    return { restore: parseEntry(data.restore) };
  },
  keep: 3,
};

export function openRestoreJournal(host: Host): Promise<RestoreJournalStore> {
  return openState(host, definition);
}

function parseEntry(entry: unknown): RestoreEntry {
  if (
    typeof entry !== 'object' ||
    entry === null ||
    !('id' in entry && typeof entry.id === 'string') ||
    !('phase' in entry && (entry.phase === 'staging' || entry.phase === 'committing')) ||
    !('services' in entry && Array.isArray(entry.services)) ||
    !('started_at' in entry && typeof entry.started_at === 'string')
  ) {
    throw new Error('it does not describe a restore');
  }
  return {
    id: entry.id,
    phase: entry.phase,
    services: entry.services.map(String),
    started_at: entry.started_at,
  };
}
