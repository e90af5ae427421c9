/** Drives plugged in, pulled out and broken while the machine is on or off. */
import { existsSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { inside } from '../../../image/tools/roots.ts';
import { UserError } from '../../../image/tools/sentence.ts';
import { attachedDrive, findDrive, withDrive, withDriveAs } from '../hardware/description.ts';
import { fileOf } from '../hardware/devices.ts';
import {
  busOf,
  buses,
  type Drive,
  type DriveRequest,
  linkOf,
  listed,
  namedDrive,
  sizeOf,
} from '../hardware/drive.ts';
import { failDrive, plugDrive, unplugDrive } from '../hardware/plug.ts';
import type { Machine } from '../machine.ts';
import type { ControlCommand } from './command.ts';
import { live } from './live.ts';

const idArgument = { name: '<id>', summary: 'its serial number, or its name below /dev/disk/by-id' };

/** Makes what a drive's content is kept in; one that is there stays as it is. */
export async function makeDriveFile(machine: Machine, drive: Drive): Promise<void> {
  const file = fileOf(drive);
  if (existsSync(machine.path(file))) return;
  mkdirSync(machine.path('drives'), { recursive: true });
  try {
    await inside(
      machine.tools,
      ['qemu-img', 'create', '-q', '-f', 'qcow2', `/vm/${file}`, String(drive.size_bytes)],
      { log: machine.path('qemu-img.log'), mounts: { '/vm': machine.directory } },
    );
  } catch (error) {
    rmSync(machine.path(file), { force: true });
    throw error;
  }
}

async function add(machine: Machine, name: string, size: unknown, bus: unknown): Promise<string> {
  const changed = withDrive(machine.description, requested(machine, name, size, bus));
  const { drive } = changed;
  if (drive.bus === 'sata' && machine.isRunning())
    throw new UserError('a drive on SATA can only be plugged in while the machine is off');
  const isNew = !existsSync(join(machine.directory, fileOf(drive)));
  await makeDriveFile(machine, drive);
  try {
    await live(machine, (qmp) => plugDrive(qmp, drive));
  } catch (error) {
    if (isNew) rmSync(machine.path(fileOf(drive)), { force: true });
    throw error;
  }
  machine.describe(changed.description);
  return `drive /dev/disk/by-id/${linkOf(drive)} is plugged in`;
}

/** A drive that was there before needs no size and no bus, and can't have others. */
function requested(machine: Machine, name: string, size: unknown, bus: unknown): DriveRequest {
  const known = findDrive(machine.description, name);
  const named = namedDrive(name);
  const bytes = typeof size === 'string' ? sizeOf(size) : known?.size_bytes;
  if (bytes === undefined) throw new UserError('a new drive needs --size, such as --size 10GiB');
  const wanted = typeof bus === 'string' ? busOf(bus) : (named.bus ?? known?.bus ?? 'scsi');
  return { id: named.id, bus: wanted, size_bytes: bytes };
}

async function remove(machine: Machine, name: string): Promise<string> {
  const drive = attachedDrive(machine.description, name);
  if (drive.bus === 'sata' && machine.isRunning())
    throw new UserError('a drive on SATA can only be pulled out while the machine is off');
  await live(machine, (qmp) => unplugDrive(qmp, drive));
  machine.describe(withDriveAs(machine.description, { ...drive, attached: false }));
  return `drive /dev/disk/by-id/${linkOf(drive)} is pulled out`;
}

async function fail(machine: Machine, name: string): Promise<string> {
  const drive = attachedDrive(machine.description, name);
  if (drive.failed) throw new UserError(`drive '${name}' has failed already`);
  await live(machine, (qmp) => failDrive(qmp, drive));
  machine.describe(withDriveAs(machine.description, { ...drive, failed: true }));
  return `drive /dev/disk/by-id/${linkOf(drive)} has failed`;
}

export const driveCommands: readonly ControlCommand[] = [
  {
    name: 'drive add',
    summary: 'plug in a drive, new or pulled out before',
    needsTools: true,
    args: [idArgument],
    options: [
      { flags: '--size <size>', summary: 'such as 10GiB; needed for a new one' },
      { flags: '--bus <bus>', summary: `${listed(buses)}; scsi unless given` },
    ],
    run: (machine, [id = ''], { size, bus }) => add(machine, id, size, bus),
  },
  {
    name: 'drive remove',
    summary: 'pull out a drive; what is written on it stays',
    args: [idArgument],
    run: (machine, [id = '']) => remove(machine, id),
  },
  {
    name: 'drive fail',
    summary: 'let a drive fail: every access to it is an I/O error',
    args: [idArgument],
    run: (machine, [id = '']) => fail(machine, id),
  },
];
