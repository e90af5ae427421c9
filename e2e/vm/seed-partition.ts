/** The seed of a machine that never ran: a tar at the place of the image where the partition `seed-data` begins. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';

/** Byte at which `seed-data` begins in every image. */
const seedOffset = 2_148_532_224;

/** Writes seed files into a disk image. */
export async function writeSeed(disk: string, files: Readonly<Record<string, string>>): Promise<void> {
  const tar = pack();
  const bytes = buffer(tar);
  for (const [name, text] of Object.entries(files)) tar.entry({ name, mode: 0o600 }, text);
  tar.finalize();
  const target = openSync(disk, 'r+');
  try {
    const data = await bytes;
    writeSync(target, data, 0, data.length, seedOffset);
  } finally {
    closeSync(target);
  }
}
