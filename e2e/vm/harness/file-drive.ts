/** A drive with files for the guest, for what is too big for its shell: mounted by the script that needs it. */
import { basename, dirname } from 'node:path';
import { inside } from '../../../image/tools/roots.ts';
import { type Medium, mediumLink } from './medium.ts';

/** Where the guest has the files of {@link fileDrive}. */
export const filesDirectory = '/run/e2e-files';

/** A drive of this kind. @param file in the machine's directory. */
export function fileDrive(file: string): Medium {
  return { id: 'e2e-files', kind: 'disk', file };
}

const link = `/dev/disk/by-id/${mediumLink(fileDrive(''))}`;

/** Mounts the drive, as soon as the guest has it. */
export const mountFiles = [
  `udevadm wait --timeout=60 ${link}`,
  `mkdir -p ${filesDirectory}`,
  `mount -o ro ${link} ${filesDirectory}`,
].join(' &&\n');

/** Makes the image of a drive with everything that a directory holds. */
export async function makeFileDrive(tools: string, from: string, drive: string): Promise<void> {
  const image = `/to/${basename(drive)}`;
  const make = `truncate -s 2G ${image} && mke2fs -q -t ext4 -m 0 -d /from ${image}`;
  await inside(tools, ['sh', '-c', make], {
    log: `${drive}.log`,
    mounts: { '/from': from, '/to': dirname(drive) },
  });
}
