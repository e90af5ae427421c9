/** The seed of a machine that never ran: a tar at the place of the image where the partition `seed-data` begins. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { UserError } from '../../image/tools/sentence.ts';

/** Byte at which `seed-data` begins in every image. */
const seedOffset = 2_148_532_224;
const seedBytes = 100 * 1024 ** 2;

/** Writes seed files into a disk image. @throws UserError when there is more than the partition holds. */
export async function writeSeed(disk: string, files: Readonly<Record<string, string>>): Promise<void> {
  const tar = pack();
  const bytes = buffer(tar);
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mode: 0o600 }, text);
  tar.finalize();
  const data = await bytes;
  if (data.length > seedBytes)
    throw new UserError(`the seed takes ${data.length} bytes; the partition for it has ${seedBytes}.`);
  const target = openSync(disk, 'r+');
  try {
    writeSync(target, data, 0, data.length, seedOffset);
  } finally {
    closeSync(target);
  }
}
