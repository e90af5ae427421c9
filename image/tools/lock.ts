/** One build at a time: they share the caches and the place where they work. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { cacheDirectory } from './cache.ts';
import { say, UserError } from './sentence.ts';

/** Waits until no other build runs; the lock ends with this process. */
export function lockCache(): void {
  mkdirSync(cacheDirectory(), { recursive: true });
  // The lock belongs to the open file, which the program that takes it shares with this process.
  const file = openSync(join(cacheDirectory(), '.lock'), 'a');
  if (flock(file, ['--nonblock']) === 0) return;
  say('waiting for another build …');
  if (flock(file, []) !== 0) throw new UserError(`${join(cacheDirectory(), '.lock')} can't be locked.`);
}

function flock(file: number, options: readonly string[]): number | null {
  const { status, error } = spawnSync('flock', [...options, '3'], {
    stdio: ['ignore', 'inherit', 'inherit', file],
  });
  if (error !== undefined) throw new UserError(`flock can't be run: ${error.message}`);
  return status;
}
