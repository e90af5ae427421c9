/** What takes long to make and is the same for every checkout: kept outside of it, by what it is made of. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The directory of the image builder's caches. */
export function cacheDirectory(): string {
  const base = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  return join(base, 'incusos/image');
}

/** A short name for what something is made of. */
export function keyOf(...parts: readonly string[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

/**
 * A directory of the cache, made by `make` unless it is there; one that was interrupted is made anew.
 * @param make gets an absent directory to make, which becomes the cached one when it returns.
 */
export async function cached(name: string, make: (partial: string) => Promise<void>): Promise<string> {
  const path = join(cacheDirectory(), name);
  if (existsSync(path)) return path;
  const partial = `${path}.partial`;
  mkdirSync(cacheDirectory(), { recursive: true });
  rmSync(partial, { recursive: true, force: true });
  await make(partial);
  renameSync(partial, path);
  return path;
}
