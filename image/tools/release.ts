/** The files of an image as a server of releases offers them: by version and architecture, each compressed. */
import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { Architecture } from './options.ts';

/** As releases name architectures. */
const folders: Readonly<Record<Architecture, string>> = { amd64: 'x86_64', arm64: 'aarch64' };

/** What a file of the image is called in a release; `undefined` for one that is no part of it. */
export function releaseName(name: string): string | undefined {
  if (/^IncusOS_\d{12}\.raw$/u.test(name)) return name.replace(/raw$/u, 'img.gz');
  return /^IncusOS_\d{12}\.(?:efi|manifest\.json|cdx\.json|usr-.*\.raw)$/u.test(name)
    ? `${name}.gz`
    : undefined;
}

/**
 * Compresses an image's files into `release/VERSION/ARCHITECTURE` below their directory.
 * @returns that directory. The same files give the same bytes: gzip's header gets no time and no name.
 */
export async function makeRelease(
  directory: string,
  version: string,
  architecture: Architecture,
  now: (what: string) => void,
): Promise<string> {
  const releases = join(directory, 'release');
  rmSync(releases, { recursive: true, force: true });
  const target = join(releases, version, folders[architecture]);
  mkdirSync(target, { recursive: true });
  for (const name of readdirSync(directory).toSorted()) {
    const published = releaseName(name);
    if (published === undefined) continue;
    now(published);
    await pipeline(
      createReadStream(join(directory, name), { highWaterMark: 1024 ** 2 }),
      createGzip({ level: 6 }),
      createWriteStream(join(target, published)),
    );
  }
  return target;
}
