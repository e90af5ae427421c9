/**
 * What takes long to make and is the same for every checkout: kept outside of it, by what it is made of.
 * An entry is whole or absent; what an interrupted run left is removed by the next one.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, join } from 'node:path';

const dayMs = 24 * 60 * 60 * 1_000;
/** Entries of one kind that are kept however old: a checkout goes back and forth between a few. */
const keptPerKind = 3;
const unusedDays = 30;

/** The directory of the image builder's caches. */
export function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'incusos/image');
}

/** A short name for what something is made of. */
export function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/** The log of a step that is not the image's own. */
export function logOf(name: string): string {
  return join(cacheDirectory(), 'logs', `${name}.log`);
}

/** Whether the cache has this entry. */
export function isCached(name: string): boolean {
  return existsSync(join(cacheDirectory(), name));
}

/**
 * A directory of the cache, made by `make` unless it is there.
 * @param make gets an absent directory to make, which becomes the cached one when it returns.
 */
export async function cached(name: string, make: (partial: string) => Promise<void>): Promise<string> {
  const path = join(cacheDirectory(), name);
  if (!existsSync(path)) {
    const directory = dirname(path);
    mkdirSync(directory, { recursive: true });
    removeAbandoned(directory);
    const partial = `${path}.${process.pid}.partial`;
    try {
      await make(partial);
    } catch (error) {
      for (const entry of readdirSync(directory))
        if (entry.startsWith(basename(partial)))
          rmSync(join(directory, entry), { recursive: true, force: true });
      throw error;
    }
    // Another process may have made the same; the first one counts.
    if (existsSync(path)) rmSync(partial, { recursive: true, force: true });
    else renameSync(partial, path);
  }
  const now = new Date();
  utimesSync(path, now, now);
  return path;
}

/** Removes what processes that are gone had begun to make: names with `.PID.partial` in them. */
export function removeAbandoned(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const pid = /\.(?<pid>\d+)\.partial/u.exec(name)?.groups?.['pid'];
    if ((pid === undefined && /\.partial/u.test(name)) || (pid !== undefined && !isAlive(Number(pid))))
      rmSync(join(directory, name), { recursive: true, force: true });
  }
}

function isAlive(pid: number): boolean {
  return existsSync(`/proc/${pid}`);
}

/**
 * Removes entries that nobody needs: of each kind (`KIND-KEY`) all but the three used last, and those too after a month.
 * @returns what was removed.
 */
export function prune(kinds: readonly string[], now = Date.now()): string[] {
  const directory = cacheDirectory();
  const removed: string[] = [];
  for (const kind of kinds) {
    const entries = readdirSync(directory)
      .filter((name) => new RegExp(`^${kind}-[0-9a-f]{16}$`, 'u').test(name))
      .map((name) => ({ name, used: statSync(join(directory, name)).mtimeMs }))
      .toSorted((a, b) => b.used - a.used);
    for (const [index, { name, used }] of entries.entries()) {
      const days = (now - used) / dayMs;
      // What was used a moment ago may be the root directory of a running program.
      if (days < 1 || (index < keptPerKind && days < unusedDays)) continue;
      rmSync(join(directory, name), { recursive: true, force: true });
      removed.push(name);
    }
  }
  return removed;
}
