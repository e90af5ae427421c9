/** Where a machine looks for seeds. */
import type { Host } from '@incusos/host';
import { SeedMissingError } from '../seed-error.ts';
import type { SeedName } from '../seed-names.ts';
import type { SeedFile, SeedFormat } from './seed-medium.ts';
import { tarArchive } from './tar-archive.ts';

/**
 * The first device that is there is the medium, and hides the others as a whole: a separate medium by its partition's
 * or its file system's label, then the partition of the system disk.
 */
const devices = [
  '/dev/disk/by-partlabel/SEED_DATA',
  '/dev/disk/by-label/SEED_DATA',
  '/dev/disk/by-partlabel/seed-data',
];

/** In the order in which they are tried; a file that one doesn't have is looked for in the next on the same device. */
const formats: readonly SeedFormat[] = [tarArchive];

const endings = ['json', 'yaml', 'yml'];

/**
 * The file of a seed.
 * @throws SeedMissingError when there is none, SeedError when the medium is damaged.
 */
export async function findSeedFile(host: Host, seed: SeedName): Promise<SeedFile> {
  const device = await findDevice(host);
  if (device === undefined) throw new SeedMissingError('partition');
  const names = endings.map((ending) => `${seed}.${ending}`);
  let readable = false;
  for (const format of formats) {
    const medium = await format.open(host, device);
    if (medium === undefined) continue;
    readable = true;
    const file = await medium.find(names);
    if (file !== undefined) return file;
  }
  throw new SeedMissingError(readable ? 'section' : 'data');
}

async function findDevice(host: Host): Promise<string | undefined> {
  for (const device of devices) {
    if (await host.files.exists(device)) return device;
  }
  return undefined;
}
