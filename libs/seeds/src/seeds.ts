/**
 * The seeds of a machine.
 *
 * Services read them once, at their first start, so what this needs is loaded when it is first used.
 */
import type { Host } from '@incusos/host';
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
      const [{ findSeedFile }, { parseSeed }] = await Promise.all([
        import('./medium/find-seed-file.ts'),
        import('./text/parse-seed.ts'),
      ]);
      try {
        return await parseSeed(name, await findSeedFile(host, name));
      } catch (error) {
        if (error instanceof SeedMissingError) return undefined;
        throw error;
      }
    },
  };
}
