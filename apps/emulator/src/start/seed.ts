/** Puts seed files where the appliance looks for them: as a tar on the partition `seed-data`. */
import { basename, dirname, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Files, LocalFiles } from '@incusos/host';
import { pack } from 'tar-stream';

const seedPartition = '/dev/disk/by-partlabel/seed-data';

/**
 * The tar of a directory of seed files, or one that is made already.
 * @throws Error when there is nothing at `source`, or no seed in it.
 */
export async function packSeed(source: string): Promise<Buffer> {
  const path = resolve(process.env['INIT_CWD'] ?? '.', source);
  const files = new LocalFiles(dirname(path));
  const name = `/${basename(path)}`;
  const found = await files.stat(name);
  if (found === undefined) throw new Error(`there is no seed at ${source}`);
  return found.kind === 'directory' ? tarOf(new LocalFiles(path), source) : files.readBytes(name);
}

/** Writes the tar to the machine's partition; the machine has to be on, since its kernel provides the partition. */
export async function plantSeed(tar: Buffer, machine: Files): Promise<void> {
  if (!(await machine.exists(seedPartition))) throw new Error('the machine has no partition seed-data');
  await machine.writeAtomic(await machine.realPath(seedPartition), tar, { mode: 0o600 });
}

async function tarOf(directory: LocalFiles, source: string): Promise<Buffer> {
  const names = (await directory.list('/')).filter((name) => /\.(?:json|ya?ml)$/u.test(name));
  if (names.length === 0) throw new Error(`there are no seeds (*.yaml, *.yml, *.json) in ${source}`);
  const tar = pack();
  const bytes = buffer(tar);
  for (const name of names) {
    tar.entry({ name, mode: 0o600 }, await directory.readBytes(`/${name}`));
  }
  tar.finalize();
  return bytes;
}
