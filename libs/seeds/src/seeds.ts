/**
 * The seeds of a machine.
 *
 * Services read them once, at their first start, and most machines have none, so what reads a seed is loaded when there
 * is one.
 */
import type { Host } from '@incusos/host';
import { findSeedFile } from './medium/find-seed-file.ts';
import { SeedMissingError } from './seed-error.ts';
import type { SeedMessages, SeedName } from './seed-names.ts';

export interface Seeds {
  /**
   * What a seed says, `undefined` when there is no such seed. Unknown keys are errors at every level.
   * @throws SeedError naming file, field and reason when the seed can't be used.
   */
  read<N extends SeedName>(name: N): Promise<SeedMessages[N] | undefined>;
}

/** Opens the seeds of a machine; the medium they are on is looked for at each read. */
export function openSeeds(host: Host): Seeds {
  return {
    async read(name) {
      try {
        const file = await findSeedFile(host, name);
        const { parseSeed } = await import('./text/parse-seed.ts');
        return await parseSeed(name, file);
      } catch (error) {
        if (error instanceof SeedMissingError) return undefined;
        throw error;
      }
    },
  };
}
