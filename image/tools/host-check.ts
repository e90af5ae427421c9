/** Whether this machine can build the image. */
import { existsSync, mkdirSync, readFileSync, statfsSync } from 'node:fs';
import { cacheDirectory } from './cache.ts';
import { UserError } from './sentence.ts';

const gibibyte = 1024 ** 3;
/** For the trees, the package cache, and a disk image with its parts. */
const neededGiB = 12;
const distributions: Readonly<Record<string, readonly string[]>> = { debian: ['12', '13'] };

/** What of a machine decides. */
export interface HostFacts {
  readonly uid: number;
  /** The text of `/etc/os-release`; empty when there is none. */
  readonly osRelease: string;
  readonly cache: string;
  /** Free bytes where the cache is. */
  readonly free: number;
  /** Programs that are missing, with the Debian package that has them. */
  readonly missing: readonly (readonly [program: string, packageName: string])[];
}

const programs = [
  ['/usr/bin/unshare', 'util-linux'],
  ['/usr/bin/setpriv', 'util-linux'],
  ['/usr/bin/flock', 'util-linux'],
  ['/usr/bin/perl', 'perl'],
  ['/usr/bin/git', 'git'],
] as const;

/** Debian packages of this machine with which an image is made; everything else comes in a tree of its own. */
export const hostPackages = ['debian-archive-keyring', 'git', 'perl', 'util-linux'] as const;

/** What has to be different for an image to be built; `undefined` when nothing has. */
export function hostProblem(facts: HostFacts): string | undefined {
  const [id, version] = ['ID', 'VERSION_ID'].map(
    (name) => new RegExp(`^${name}="?([^"\n]*)"?$`, 'mu').exec(facts.osRelease)?.[1] ?? '',
  );
  if (distributions[id ?? '']?.includes(version ?? '') !== true)
    return `Building the image needs Debian 12 or 13; this is ${`${id ?? ''} ${version ?? ''}`.trim() || 'something else'}.`;
  if (facts.uid !== 0) return 'Building the image needs root: it installs packages into directory trees.';
  const free = facts.free / gibibyte;
  if (free < neededGiB)
    return `Building the image needs ${neededGiB} GiB below ${facts.cache}, and there are ${free.toFixed(1)} GiB free; XDG_CACHE_HOME says where else.`;
  const [missing] = facts.missing;
  return missing === undefined ? undefined : `${missing[0]} is missing: apt-get install ${missing[1]}.`;
}

/**
 * @param withPrograms whether the programs of {@link hostPackages} count; they can be installed.
 * @throws UserError saying what has to be different.
 */
export function checkHost(withPrograms = true): void {
  const cache = cacheDirectory();
  const uid = process.getuid?.() ?? -1;
  const osRelease = '/etc/os-release';
  const problem = hostProblem({
    uid,
    osRelease: existsSync(osRelease) ? readFileSync(osRelease, 'utf8') : '',
    cache,
    // Who isn't root needs no answer, and may have no place for a cache.
    free: uid === 0 ? freeBytes(cache) : 0,
    missing: withPrograms ? programs.filter(([program]) => !existsSync(program)) : [],
  });
  if (problem !== undefined) throw new UserError(problem);
}

/** Of the file system that has, or will have, a directory. */
function freeBytes(directory: string): number {
  try {
    mkdirSync(directory, { recursive: true });
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UserError(`${directory} can't be used as the cache: ${why}; XDG_CACHE_HOME says where else.`);
  }
}
