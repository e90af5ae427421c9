import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Files } from '@incusos/host';

/**
 * Shows a file of sysfs or securityfs. A real one is on no disk, so nothing is flushed; readers see the old or the
 * new content.
 */
export async function showKernelFile(files: Files, path: string, data: string | Uint8Array): Promise<void> {
  const target = files.resolve(path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(`${target}.tmp`, data);
  await rename(`${target}.tmp`, target);
}
