/** Runs buf in proto/ with the workspace's own plugins on its path. */
import { spawnSync } from 'node:child_process';
import { delimiter, join } from 'node:path';

/** Top of the repository. */
export const root = join(import.meta.dirname, '../../..');

/** Whether buf, given these arguments, was content. Its output goes to ours. */
export function buf(...args: readonly string[]): boolean {
  const path = [join(root, 'node_modules/.bin'), process.env['PATH'] ?? ''].join(delimiter);
  const { status, error } = spawnSync('buf', args, {
    cwd: join(root, 'proto'),
    stdio: 'inherit',
    env: { ...process.env, PATH: path },
  });
  if (error) throw error;
  return status === 0;
}
