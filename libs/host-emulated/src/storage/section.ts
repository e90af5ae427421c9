/** The storage section of a machine description: its drives, and the ZFS pools that are written on them. */

export type DriveBus = 'scsi' | 'sata' | 'nvme' | 'usb' | 'virtio';

export interface Partition {
  readonly number: number;
  /** GPT name, shown below `/dev/disk/by-partlabel/`. */
  label: string;
  /** In sectors of 512 bytes. */
  start_sector: number;
  size_bytes: number;
  /** `guid` of the pool member whose label is on it. */
  zfs_label?: string;
  /** It is no partition but the content of the encrypted drive, reached by `/dev/mapper/<mapper>` while that is open. */
  readonly mapper?: string;
  open?: boolean;
}

export interface Drive {
  /** Its name below `/dev/disk/by-id/`. */
  readonly id: string;
  /** The kernel's name, such as `sda` or `nvme0n1`. */
  name: string;
  readonly bus: DriveBus;
  readonly size_bytes: number;
  readonly vendor: string;
  readonly model: string;
  readonly serial: string;
  readonly wwn?: string;
  readonly removable: boolean;
  /** False while it is pulled out; what is written on it stays. */
  attached: boolean;
  failed: boolean;
  power_on_hours: number;
  /** Whether a partition table is on it, with or without entries. */
  partition_table: boolean;
  partitions: Partition[];
  /** A file system or other signature on the whole drive, as blkid names its type. */
  signature?: string;
  /** What was written, as hexadecimal text by byte offset. Kept for small writes only. */
  written: Record<string, string>;
}

export type VdevClass = 'normal' | 'special' | 'log' | 'cache';

export interface Scan {
  readonly function: 'SCRUB' | 'RESILVER';
  /** Milliseconds since 1970, as all times here. */
  readonly started: number;
  readonly duration: number;
  canceled?: number;
  errors: number;
}

export interface Vdev {
  /** Top-level vdevs and groups are numbered: `mirror-0`. */
  readonly id: number;
  readonly guid: string;
  readonly type: 'disk' | 'mirror' | 'raidz' | 'replacing';
  /** Of a raidz group. */
  readonly parity?: number;
  readonly class: VdevClass;
  children: Vdev[];
  /** Of a disk: the path as given, with `-part1` appended where a whole drive was taken. */
  path?: string;
  whole_disk?: boolean;
  /** Bytes that the pool uses of it. */
  size?: number;
  offline?: boolean;
  /** Was missing when the pool was imported. */
  not_present?: boolean;
  /** Was pulled out since. Nobody but `zpool online` or the next import takes it back. */
  lost?: boolean;
  trim?: { started: number; duration: number; canceled?: number };
  /** Being evacuated until this time. */
  removing_until?: number;
}

export interface Dataset {
  name: string;
  type: 'FILESYSTEM' | 'VOLUME';
  created: number;
  /** Set on the dataset itself. */
  properties: Record<string, string>;
  used: number;
  key_loaded?: boolean;
}

export interface Pool {
  name: string;
  readonly guid: string;
  imported: boolean;
  properties: Record<string, string>;
  vdevs: Vdev[];
  next_vdev_id: number;
  datasets: Dataset[];
  scan?: Scan;
  /** Key material that the encryption root was made with, hexadecimal. */
  key?: string;
}

export interface StorageSection {
  drives: Drive[];
  pools: Pool[];
  /** Bytes in use on the root file system. */
  root_used_bytes: number;
}

export const GiB = 1024 ** 3;
export const MiB = 1024 ** 2;

const systemPartitions: readonly (readonly [label: string, size: number])[] = [
  ['esp', 2 * GiB],
  ['seed-data', 100 * MiB],
  ['IncusOS_202611200000_verity_sig', 16 * 1024],
  ['IncusOS_202611200000_verity', 100 * MiB],
  ['IncusOS_202611200000', GiB],
  ['_empty', 16 * 1024],
  ['_empty', 100 * MiB],
  ['_empty', GiB],
  ['swap', 4 * GiB],
  ['root', 25 * GiB],
];

/** Where partition 11 starts on a standard disk, in sectors. */
export const localDataStart = 69_826_560;

/** A drive with an installed system: partitions 1 to 11, the last one taking the rest. */
function systemDrive(size = 50 * GiB): Drive {
  let next = 2048;
  const partitions = systemPartitions.map(([label, bytes], index): Partition => {
    const start_sector = next;
    next += Math.ceil(bytes / MiB) * 2048;
    return { number: index + 1, label, start_sector, size_bytes: bytes };
  });
  const rest = size - localDataStart * 512 - 33 * 512;
  partitions.push({ number: 11, label: 'local-data', start_sector: localDataStart, size_bytes: rest });
  return {
    id: 'scsi-0QEMU_QEMU_HARDDISK_incus_root',
    name: 'sda',
    bus: 'scsi',
    size_bytes: size,
    vendor: 'QEMU',
    model: 'QEMU HARDDISK',
    serial: 'incus_root',
    removable: false,
    attached: true,
    failed: false,
    power_on_hours: 0,
    partition_table: true,
    partitions,
    written: {},
  };
}

export function defaultStorage(): StorageSection {
  return { drives: [systemDrive()], pools: [], root_used_bytes: 2 * GiB };
}
