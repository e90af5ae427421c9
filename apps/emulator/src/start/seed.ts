/** Puts seed files where the appliance looks for them: as a tar on the partition `seed-data`. */
import { basename, dirname, resolve } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type Files, LocalFiles } from '@incusos/host';
import { pack } from 'tar-stream';

const seedPartition = '/dev/disk/by-partlabel/seed-data';

/**
 * Takes over a directory of seed files, or a tar of them.
 * @throws Error when there is nothing at `source`.
 */
export async function plantSeed(source: string, machine: Files): Promise<void> {
  const path = resolve(process.env['INIT_CWD'] ?? '.', source);
  const files = new LocalFiles(dirname(path));
  const name = `/${basename(path)}`;
  const found = await files.stat(name);
  if (found === undefined) throw new Error(`there is no seed at ${source}`);
  const tar = found.kind === 'directory' ? await tarOf(new LocalFiles(path)) : await files.readBytes(name);
  await machine.writeAtomic(seedPartition, tar, { mode: 0o600 });
}

async function tarOf(directory: LocalFiles): Promise<Buffer> {
  const tar = pack();
  const bytes = buffer(tar);
  for (const name of await directory.list('/')) {
    if (!/\.(?:json|ya?ml)$/u.test(name)) continue;
    tar.entry({ name, mode: 0o600 }, await directory.readBytes(`/${name}`));
  }
  tar.finalize();
  return bytes;
}
