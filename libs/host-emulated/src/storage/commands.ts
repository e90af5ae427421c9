/** Drives plugged in, pulled out and broken from outside. */
import type { Command } from '../command.ts';
import { syncDeviceFiles } from './device-files.ts';
import { nextName } from './devices.ts';
import { poolLeaves } from './zpool/vdevs.ts';
import { type Drive, type DriveBus, GiB, type StorageSection } from './section.ts';

const units: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 1024,
  mi: 1024 ** 2,
  gi: GiB,
  ti: 1024 ** 4,
};

/** Bytes from `10GiB`, `500GB` or a plain number, cut to whole sectors. */
export function parseSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmgt]i?)?b?$/iu.exec(text.trim());
  const bytes =
    match === null ? Number.NaN : Number(match[1]) * (units[(match[2] ?? '').toLowerCase()] ?? Number.NaN);
  if (!Number.isFinite(bytes) || bytes < 128 * 1024 ** 2)
    throw new Error(`size '${text}' isn't a size of at least 128MiB, such as 10GiB`);
  // The kernel counts bytes of a device in a signed 64-bit integer.
  if (bytes >= 2 ** 63) throw new Error(`size '${text}' is more than a drive can have, 8 EiB`);
  return Math.floor(bytes / 512) * 512;
}

const shapes: Readonly<Record<DriveBus, { prefix: string; suffix?: string; vendor: string; model: string }>> =
  {
    scsi: { prefix: 'scsi-0QEMU_QEMU_HARDDISK_', vendor: 'QEMU', model: 'QEMU HARDDISK' },
    sata: { prefix: 'ata-QEMU_HARDDISK_', vendor: 'ATA', model: 'QEMU HARDDISK' },
    nvme: { prefix: 'nvme-QEMU_NVMe_Ctrl_', vendor: 'QEMU', model: 'QEMU NVMe Ctrl' },
    virtio: { prefix: 'virtio-', vendor: '0x1af4', model: '' },
    usb: { prefix: 'usb-QEMU_QEMU_HARDDISK_', suffix: '-0:0', vendor: 'QEMU', model: 'QEMU HARDDISK' },
  };

function isBus(text: string): text is DriveBus {
  return Object.hasOwn(shapes, text);
}

/** The name below `/dev/disk/by-id` for what a person calls the drive. */
function byId(id: string, bus: DriveBus): string {
  const { prefix, suffix = '' } = shapes[bus];
  return /^(?:scsi|ata|nvme|usb|virtio|wwn)-/u.test(id) ? id : `${prefix}${id}${suffix}`;
}

function findDrive(storage: StorageSection, id: string): Drive | undefined {
  return storage.drives.find(
    (drive) => drive.id === id || drive.serial === id || `/dev/disk/by-id/${drive.id}` === id,
  );
}

function attachedDrive(storage: StorageSection, id: string): Drive {
  const drive = findDrive(storage, id);
  if (drive?.attached !== true)
    throw new Error(
      `no drive '${id}' is plugged in; there are: ${storage.drives
        .filter(({ attached }) => attached)
        .map((each) => each.serial)
        .join(', ')}`,
    );
  return drive;
}

/** The kernel's name for a namespace that has none of its own: vendor, serial number, model (nvme core, `wwid`). */
function namespaceName(serial: string): string {
  const hex = (text: string): string => Buffer.from(text).toString('hex');
  return `nvme.1b36-${hex(serial)}-${hex(shapes.nvme.model)}-00000001`;
}

/** Plugs in a new drive, or one that was pulled out before, with what is written on it. */
export function addDrive(
  storage: StorageSection,
  id: string,
  bus: DriveBus,
  size: number | undefined,
): Drive {
  if (!/^[A-Za-z0-9_.:+-]{1,100}$/u.test(id))
    throw new Error(`drive id '${id}' has characters that udev doesn't put into a name`);
  const known = findDrive(storage, id);
  if (known?.attached === true) throw new Error(`drive '${id}' is plugged in already`);
  if (known !== undefined) {
    known.name = nextName(storage, known.bus);
    known.attached = true;
    return known;
  }
  if (size === undefined) throw new Error('a new drive needs --size, such as --size 10GiB');
  const { vendor, model } = shapes[bus];
  const drive: Drive = {
    id: byId(id, bus),
    name: nextName(storage, bus),
    bus,
    size_bytes: size,
    vendor,
    model,
    serial: id,
    ...(bus === 'nvme' ? { wwn: namespaceName(id) } : {}),
    removable: bus === 'usb',
    attached: true,
    failed: false,
    power_on_hours: 120,
    partition_table: false,
    partitions: [],
    written: {},
  };
  storage.drives.push(drive);
  return drive;
}

/** ZFS doesn't take a member back by itself (there is no event daemon). */
function loseMembers({ pools }: StorageSection, { partitions }: Drive): void {
  const labels = new Set(partitions.flatMap(({ zfs_label: label }) => label ?? []));
  for (const pool of pools) {
    if (!pool.imported) continue;
    for (const leaf of poolLeaves(pool)) if (labels.has(leaf.guid)) leaf.lost = true;
  }
}

export const commands: readonly Command[] = [
  {
    name: 'drive add',
    summary: 'plug in a drive, new or pulled out before',
    args: [{ name: '<id>', summary: 'its serial number, or its name below /dev/disk/by-id' }],
    options: [
      { flags: '--size <size>', summary: 'such as 10GiB; needed for a new one' },
      { flags: '--bus <bus>', summary: 'scsi, sata, nvme, usb or virtio; scsi unless given' },
    ],
    run: async (machine, [id = ''], { size, bus = 'scsi' }) => {
      if (typeof bus !== 'string' || !isBus(bus))
        throw new Error(`bus '${String(bus)}' isn't one of scsi, sata, nvme, usb, virtio`);
      const bytes = typeof size === 'string' ? parseSize(size) : undefined;
      return machine.change(async ({ storage }) => {
        const drive = addDrive(storage, id, bus, bytes);
        await syncDeviceFiles(machine.files, storage);
        return `drive /dev/disk/by-id/${drive.id} is plugged in as /dev/${drive.name}`;
      });
    },
  },
  {
    name: 'drive remove',
    summary: 'pull out a drive; what is written on it stays',
    args: [{ name: '<id>', summary: 'its serial number, or its name below /dev/disk/by-id' }],
    run: (machine, [id = '']) =>
      machine.change(async ({ storage }) => {
        const drive = attachedDrive(storage, id);
        drive.attached = false;
        loseMembers(storage, drive);
        await syncDeviceFiles(machine.files, storage);
        return `drive /dev/disk/by-id/${drive.id} is pulled out`;
      }),
  },
  {
    name: 'drive fail',
    summary: 'let a drive fail: bad SMART, I/O errors, faulted in its pool',
    args: [{ name: '<id>', summary: 'its serial number, or its name below /dev/disk/by-id' }],
    run: (machine, [id = '']) =>
      machine.change(({ storage }) => {
        const drive = attachedDrive(storage, id);
        drive.failed = true;
        return `drive /dev/disk/by-id/${drive.id} has failed`;
      }),
  },
];
