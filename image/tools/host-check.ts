/** Whether this machine can build the image. */
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { cacheDirectory } from './cache.ts';
import { UserError } from './sentence.ts';

const gibibyte = 1024 ** 3;
/** For the trees, the package cache, and a disk image with its parts. */
const neededGiB = 12;
const distributions: Readonly<Record<string, readonly string[]>> = { debian: ['12', '13'] };

/** @throws UserError saying what has to be different. */
export function checkHost(): void {
  if (process.getuid?.() !== 0)
    throw new UserError('Building the image needs root: it installs packages into directory trees.');
  const release = readFileSync('/etc/os-release', 'utf8');
  const [id, version] = ['ID', 'VERSION_ID'].map(
    (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'mu').exec(release)?.[1] ?? '',
  );
  if (distributions[id ?? '']?.includes(version ?? '') !== true)
    throw new UserError(`Building the image needs Debian 12 or 13; this is ${id ?? '?'} ${version ?? ''}.`);
  for (const [program, packageName] of [
    ['/usr/bin/unshare', 'util-linux'],
    ['/usr/bin/perl', 'perl'],
    ['/usr/bin/git', 'git'],
  ] as const) {
    if (!existsSync(program)) throw new UserError(`${program} is missing: apt-get install ${packageName}.`);
  }
  const cache = cacheDirectory();
  mkdirSync(cache, { recursive: true });
  const { bavail, bsize } = statfsSync(cache);
  const free = (bavail * bsize) / gibibyte;
  if (free < neededGiB)
    throw new UserError(
      `Building the image needs ${neededGiB} GiB below ${cache}, and there are ${free.toFixed(1)} GiB free; XDG_CACHE_HOME says where else.`,
    );
}
