/**
 * Says whether proto/ breaks a client of its former version.
 *
 * Run: `node libs/contracts/tools/breaking.ts [REF]`
 *
 * Compares with REF; without one, uncommitted changes are compared with HEAD, and committed ones with the commit before
 * the last that touched proto/. In a clone without that history there is nothing to compare, which it says.
 */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buf, root } from './buf.ts';

/** Output of a git command, or undefined when it fails. */
function git(...args: string[]): string | undefined {
  const { status, stdout, error } = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  return error || status !== 0 ? undefined : stdout.trim();
}

/** The commit to compare with, or the reason why there is none. */
function former(): { ref: string } | { none: string } {
  const asked = process.argv[2];
  if (asked !== undefined) {
    return git('rev-parse', '--verify', '--quiet', `${asked}^{commit}`) === undefined
      ? { none: `there is no commit ${asked}` }
      : { ref: asked };
  }
  if (git('rev-parse', '--verify', '--quiet', 'HEAD:proto') === undefined) {
    return { none: 'proto/ is not in a commit yet' };
  }
  if (git('status', '--porcelain', '--', 'proto') !== '') return { ref: 'HEAD' };
  const last = git('log', '-1', '--format=%H', '--', 'proto');
  const parent = `${last ?? 'HEAD'}~1`;
  return git('rev-parse', '--verify', '--quiet', `${parent}:proto`) === undefined
    ? { none: 'this clone has no earlier version of proto/' }
    : { ref: parent };
}

function main(): number {
  const against = former();
  if ('none' in against) {
    console.log(`buf breaking: nothing to compare, ${against.none}`);
    return process.argv[2] === undefined ? 0 : 1;
  }
  const dir = mkdtempSync(join(tmpdir(), 'proto-'));
  try {
    const archive = join(dir, 'former.tar');
    if (git('archive', '--format=tar', `--output=${archive}`, against.ref, 'proto') === undefined) {
      console.error(`buf breaking: git archive of ${against.ref} failed`);
      return 1;
    }
    if (!buf('breaking', '--against', `${archive}#subdir=proto`)) return 1;
    console.log(`buf breaking: compatible with ${against.ref}`);
    return 0;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

process.exitCode = main();
