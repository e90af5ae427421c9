/** Which applications the seed of a machine asks for. */
import type { Host } from '@incusos/host';
import { openSeeds, SeedError } from '@incusos/seeds';
import { catalogueEntry } from '../catalogue/catalogue.ts';

/**
 * The names, sorted, each once; none without a seed.
 * @throws SeedError when the seed can't be used.
 */
export async function seededApplications(host: Host): Promise<string[]> {
  const seed = await openSeeds(host).read('applications');
  const names = (seed?.applications ?? []).map(({ name }) => name);
  const unknown = names.findIndex((name) => catalogueEntry(name) === undefined);
  if (unknown !== -1) {
    const reason = `unknown application '${names[unknown] ?? ''}'`;
    throw new SeedError('applications seed', `applications[${unknown}].name`, reason);
  }
  const wanted = [...new Set(names)].toSorted();
  const primaries = wanted.filter((name) => catalogueEntry(name)?.primary === true);
  if (primaries.length > 1) {
    const reason = `more than one primary application present in installation list: ${primaries.join(', ')}`;
    throw new SeedError('applications seed', 'applications', reason);
  }
  return wanted;
}
