/** Block devices of the drives: their nodes, the links udev makes for them, and what a path means. */
import type { Drive, Partition, StorageSection } from './section.ts';

/** A drive, or one of its partitions. */
export interface BlockDevice {
  readonly drive: Drive;
  readonly partition?: Partition;
}

const partitionSuffix = /-part(\d+)$/u;

export function attachedDrives(storage: Readonly<StorageSection>): readonly Drive[] {
  return storage.drives.filter((drive) => drive.attached);
}

/** The kernel's node, such as `/dev/sda1`. */
export function nodeOf({ drive, partition }: BlockDevice): string {
  if (partition === undefined) return `/dev/${drive.name}`;
  if (partition.mapper !== undefined) return `/dev/mapper/${partition.mapper}`;
  return `/dev/${drive.name}${/\d$/u.test(drive.name) ? 'p' : ''}${partition.number}`;
}

export function sizeOf({ drive, partition }: BlockDevice): number {
  return partition?.size_bytes ?? drive.size_bytes;
}

/** Where the drive is plugged in: its directory below `/sys/devices`. */
export function sysfsPath(storage: Readonly<StorageSection>, drive: Drive): string {
  const slot = storage.drives.indexOf(drive);
  const hex = (slot + 5).toString(16).padStart(2, '0');
  switch (drive.bus) {
    case 'nvme':
      return `/sys/devices/pci0000:00/0000:00:${hex}.0/nvme/${drive.name.replace(/n\d+$/u, '')}/${drive.name}`;
    case 'sata':
      return `/sys/devices/pci0000:00/0000:00:1f.2/ata${slot + 1}/host${slot}/target${slot}:0:0/${slot}:0:0:0/block/${drive.name}`;
    case 'usb':
      return `/sys/devices/pci0000:00/0000:00:1d.0/usb1/1-${slot}/1-${slot}:1.0/host${slot}/target${slot}:0:0/${slot}:0:0:0/block/${drive.name}`;
    case 'virtio':
      return `/sys/devices/pci0000:00/0000:00:${hex}.0/virtio${slot + 2}/block/${drive.name}`;
    case 'scsi':
      return `/sys/devices/pci0000:00/0000:00:04.0/virtio1/host0/target0:0:${slot}/0:0:${slot}:0/block/${drive.name}`;
  }
}

/** lsblk's SUBSYSTEMS column. */
export function subsystemsOf(drive: Drive): string {
  const chain = {
    nvme: 'block:nvme:pci',
    sata: 'block:scsi:pci',
    usb: 'block:scsi:usb:pci',
    scsi: 'block:scsi:virtio:pci',
    virtio: 'block:virtio:pci',
  };
  return chain[drive.bus];
}

/** udev's ID_PATH. */
export function pathId(storage: Readonly<StorageSection>, drive: Drive): string {
  const slot = storage.drives.indexOf(drive);
  const hex = (slot + 5).toString(16).padStart(2, '0');
  const names = {
    nvme: `pci-0000:00:${hex}.0-nvme-1`,
    sata: `pci-0000:00:1f.2-ata-${slot + 1}`,
    usb: `pci-0000:00:1d.0-usb-0:${slot}:1.0-scsi-0:0:0:0`,
    scsi: `pci-0000:00:04.0-scsi-0:0:${slot}:0`,
    virtio: `pci-0000:00:${hex}.0`,
  };
  return names[drive.bus];
}

function linkNames(storage: Readonly<StorageSection>, { drive, partition }: BlockDevice): string[] {
  if (partition?.mapper !== undefined) return [];
  const suffix = partition === undefined ? '' : `-part${partition.number}`;
  const links = [
    `/dev/disk/by-id/${drive.id}${suffix}`,
    `/dev/disk/by-path/${pathId(storage, drive)}${suffix}`,
  ];
  if (drive.wwn !== undefined) {
    links.push(`/dev/disk/by-id/${drive.bus === 'nvme' ? 'nvme' : 'wwn'}-${drive.wwn}${suffix}`);
  }
  // The namespace, where the name is that of the controller.
  if (drive.bus === 'nvme') links.push(`/dev/disk/by-id/${drive.id}_1${suffix}`);
  if (partition !== undefined && partition.label !== '')
    links.push(`/dev/disk/by-partlabel/${partition.label}`);
  return links;
}

/** Every device with its node and its links; of two with the same link the first keeps it. */
export function deviceLinks(storage: Readonly<StorageSection>): Map<string, BlockDevice> {
  const all = new Map<string, BlockDevice>();
  for (const drive of attachedDrives(storage)) {
    const partitions = drive.partitions.filter(({ mapper, open }) => mapper === undefined || open === true);
    for (const device of [{ drive }, ...partitions.map((partition) => ({ drive, partition }))]) {
      all.set(nodeOf(device), device);
      for (const link of linkNames(storage, device)) if (!all.has(link)) all.set(link, device);
    }
  }
  return all;
}

/** The links of one device, sorted. */
export function linksOf(storage: Readonly<StorageSection>, device: BlockDevice): string[] {
  return linkNames(storage, device).toSorted();
}

/** The device a path names: a node, or a link of udev's. */
export function findDevice(storage: Readonly<StorageSection>, path: string): BlockDevice | undefined {
  return deviceLinks(storage).get(path);
}

/** The path without the suffix of its partition. */
export function withoutPartition(path: string): string {
  return path.replace(partitionSuffix, '');
}

/** The next free name of the kernel's for a drive on this bus. */
export function nextName(storage: Readonly<StorageSection>, bus: DriveBusName): string {
  const taken = new Set(storage.drives.filter((drive) => drive.attached).map((drive) => drive.name));
  for (let index = 0; ; index += 1) {
    const name = bus === 'nvme' ? `nvme${index}n1` : `${bus === 'virtio' ? 'vd' : 'sd'}${letters(index)}`;
    if (!taken.has(name)) return name;
  }
}

type DriveBusName = Drive['bus'];

function letters(index: number): string {
  const rest = Math.floor(index / 26);
  return (rest > 0 ? letters(rest - 1) : '') + String.fromCharCode(97 + (index % 26));
}

/** Removes everything that says what is on a drive. */
export function clearDrive(drive: Drive): void {
  drive.partition_table = false;
  drive.partitions = [];
  drive.written = {};
  delete drive.signature;
}
