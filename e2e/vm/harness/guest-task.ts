/**
 * Work inside the guest that the API has no call for. Nobody logs in to the appliance, so a machine under test gets, as a
 * systemd credential by fw_cfg, a udev rule: when a drive with a certain serial number appears, its `task.sh` is run as
 * a unit of its own. The image knows nothing of it, and a machine without the credential does nothing of the kind.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inside } from '../../../image/tools/roots.ts';

const serial = 'e2e-task';
/** Where the task finds the files of its drive. */
export const taskDirectory = '/run/e2e-task';

/** What the task's report, on the second serial port, ends with. */
export const taskEnd = /^task ended: (?<code>\d+)$/mu;

const start = [
  'test -e /etc/initrd-release ||',
  `{ mkdir -p ${taskDirectory} && mount -o ro $devnode ${taskDirectory} && exec /bin/bash ${taskDirectory}/task.sh; }`,
].join(' ');
const unit = [
  '/usr/bin/systemd-run --no-block --collect --unit=e2e-task',
  '--property=StandardOutput=file:/dev/ttyS1 --property=StandardError=file:/dev/ttyS1',
].join(' ');

/** The credential's name, by which udev takes it for rules (systemd-udevd.service(8)). */
export const taskCredential = 'udev.rules.99-e2e-task';
export const taskRules = `ACTION=="add", SUBSYSTEM=="block", ENV{DEVTYPE}=="disk", ENV{ID_SERIAL}=="*${serial}", RUN+="${unit} /bin/sh -c '${start}'"\n`;

export const taskDrive = { serial, bus: 'scsi', file: 'task.img', readOnly: true } as const;

/**
 * Makes the task's drive.
 * @param files more files for the drive, by the directory they are in.
 */
export async function makeTaskDrive(
  tools: string,
  directory: string,
  script: string,
  files?: { readonly from: string; readonly names: readonly string[] },
): Promise<void> {
  const content = join(directory, 'task');
  rmSync(content, { recursive: true, force: true });
  mkdirSync(content);
  writeFileSync(join(content, 'task.sh'), taskScript(script));
  const mounts = { '/vm': directory, ...(files === undefined ? {} : { '/files': files.from }) };
  const copy = (files?.names ?? []).map((name) => `cp --sparse=always '/files/${name}' /vm/task/`);
  const make = [
    'set -e',
    ...copy,
    'rm -f /vm/task.img',
    'truncate -s 2G /vm/task.img',
    'mke2fs -q -t ext4 -m 0 -d /vm/task /vm/task.img',
    'rm -rf /vm/task',
  ].join('\n');
  await inside(tools, ['sh', '-c', make], { log: join(directory, 'task-drive.log'), mounts });
}

function taskScript(script: string): string {
  return [
    'set -eu',
    'export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8',
    `trap 'echo "task ended: $?"' EXIT`,
    'echo "task begins"',
    script,
    '',
  ].join('\n');
}
