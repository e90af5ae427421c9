import { posix } from 'node:path';
import type { Files } from '@incusos/host';

/** Makes a symlink relative, as sysfs has them, so that it works wherever the machine's root is kept. */
export function linkTo(files: Files, target: string, path: string): Promise<void> {
  return files.makeSymlink(posix.relative(posix.dirname(path), target), path);
}
