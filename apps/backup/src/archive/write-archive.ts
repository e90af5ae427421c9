import { pipeline, Readable } from 'node:stream';
import { createGzip } from 'node:zlib';
import { pack } from 'tar-stream';
import type { Backup } from './backup.ts';
import { manifestName, manifestOf } from './manifest.ts';

/**
 * The gzip-compressed tar archive of a backup: `manifest.json`, then `<service>/<file>`. It is made as fast as it is
 * read.
 */
export async function* writeArchive(backup: Backup): AsyncGenerator<Buffer> {
  const tar = pack();
  const mtime = new Date(backup.createdAt);
  const add = (name: string, content: string | Buffer): void => {
    tar.entry({ name, mode: 0o600, mtime, uname: 'root', gname: 'root' }, content);
  };
  add(manifestName, `${JSON.stringify(manifestOf(backup), undefined, 2)}\n`);
  for (const { service, files } of backup.services) {
    for (const [name, content] of files) add(`${service}/${name}`, content);
  }
  tar.finalize();
  const gzip = createGzip();
  // A failure of either side ends the other; the reader sees it as an error of the iteration.
  pipeline(Readable.from(tar), gzip, () => undefined);
  for await (const chunk of gzip) yield chunk as Buffer;
}
