import type { Files } from '@incusos/host';
import { showKernelFile } from './kernel-file.ts';
import type { SecuritySection } from './section.ts';

/** Shows `/dev/mapper/<name>` as udev does: a link to the numbered node. */
export async function openMapping(files: Files, name: string, minor: number): Promise<void> {
  await showKernelFile(files, `/dev/dm-${minor}`, '');
  await files.makeSymlink(`../dm-${minor}`, `/dev/mapper/${name}`);
}

export async function closeMapping(files: Files, name: string, minor: number): Promise<void> {
  await files.remove(`/dev/mapper/${name}`);
  await files.remove(`/dev/dm-${minor}`);
}

/** The lowest number that no open device has. */
export function freeMinor({ mappings }: SecuritySection): number {
  let minor = 0;
  while (mappings.some((mapping) => mapping.minor === minor)) minor += 1;
  return minor;
}
