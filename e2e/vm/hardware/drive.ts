/** Drives of a virtual machine: what a person says about them, and what udev will call them. */
import { UserError } from '../../../image/tools/sentence.ts';

export const buses = ['scsi', 'nvme', 'usb', 'virtio', 'sata'] as const;
export type Bus = (typeof buses)[number];

export interface Drive {
  /** The serial number that the guest sees. */
  readonly id: string;
  readonly bus: Bus;
  readonly size_bytes: number;
  /** Whether it is plugged in; a drive that was pulled out keeps what is written on it. */
  readonly attached: boolean;
  /** Whether every access to it is an I/O error. */
  readonly failed: boolean;
  /** The PCIe port of a drive that sits in one of its own. */
  readonly port?: number;
}

export interface DriveRequest {
  readonly id: string;
  readonly bus: Bus;
  readonly size_bytes: number;
}

/** What udev's links (60-persistent-storage.rules) begin with, before the serial number. */
const prefixes: Readonly<Record<Bus, string>> = {
  scsi: 'scsi-0QEMU_QEMU_HARDDISK_',
  nvme: 'nvme-QEMU_NVMe_Ctrl_',
  usb: 'usb-QEMU_QEMU_HARDDISK_',
  virtio: 'virtio-',
  sata: 'ata-QEMU_HARDDISK_',
};
/** What follows the serial number: a USB device can have several units. */
const suffixes: Readonly<Partial<Record<Bus, string>>> = { usb: '-0:0' };

/** NVMe, ATA and virtio-blk have serial numbers of 20 characters. */
const idForm = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,19}$/u;
const minimumBytes = 128 * 1024 ** 2;
/** QCOW2 with clusters of 64 KiB holds no more. */
const maximumBytes = 1024 ** 5;
const sectorBytes = 512;
const factors: Readonly<Record<string, number>> = {
  '': 1,
  k: 1e3,
  m: 1e6,
  g: 1e9,
  t: 1e12,
  ki: 1024,
  mi: 1024 ** 2,
  gi: 1024 ** 3,
  ti: 1024 ** 4,
};

/** The name of a drive below `/dev/disk/by-id`. */
export function linkOf({ bus, id }: Pick<Drive, 'bus' | 'id'>): string {
  return `${prefixes[bus]}${id}${suffixes[bus] ?? ''}`;
}

/** @throws UserError when there is no such bus. */
export function busOf(text: string): Bus {
  const bus = buses.find((one) => one === text);
  if (bus === undefined) throw new UserError(`there is no bus ${text}; ${listed(buses)} are.`);
  return bus;
}

/**
 * A drive from its serial number, or its name below `/dev/disk/by-id`, which tells the bus too.
 * @throws UserError when the guest could not have a drive of this name.
 */
export function namedDrive(text: string): { readonly id: string; readonly bus: Bus | undefined } {
  const name = text.replace(/^\/dev\/disk\/by-id\//u, '');
  const bus = buses.find((one) => name.startsWith(prefixes[one]));
  const id = bus === undefined ? name : name.slice(prefixes[bus].length).replace(suffixes[bus] ?? /$/u, '');
  if (!idForm.test(id))
    throw new UserError(
      `the drive ID ${text} is none: up to 20 letters, digits, dots, dashes and underscores, the first a letter or a digit.`,
    );
  return { id, bus };
}

/**
 * Bytes from `10GiB`, `10G`, `500GB` or a plain number, cut to whole sectors.
 * @throws UserError when it is no size of a drive.
 */
export function sizeOf(text: string): number {
  const match = /^(?<number>\d+(?:\.\d+)?)\s*(?<unit>[kmgt]i?)?(?<bytes>b)?$/iu.exec(text.trim());
  const { number = '', unit = '', bytes } = match?.groups ?? {};
  // qemu-img's G is 1024³; GB is what a drive's label means.
  const key = unit.length === 1 && bytes === undefined ? `${unit}i` : unit;
  const size = match === null ? Number.NaN : Number(number) * (factors[key.toLowerCase()] ?? Number.NaN);
  if (!Number.isFinite(size) || size < minimumBytes)
    throw new UserError(`the size ${text} is no size of at least 128MiB, such as 10GiB.`);
  if (size > maximumBytes) throw new UserError(`the size ${text} is more than a drive can have, 1024TiB.`);
  return Math.floor(size / sectorBytes) * sectorBytes;
}

/**
 * A drive from `ID:SIZE` or `BUS:ID:SIZE`.
 * @throws UserError saying which part is wrong.
 */
export function driveOf(text: string): DriveRequest {
  const parts = /^(?:(?<bus>[a-z]+):)?(?<name>.+):(?<size>[^:]+)$/u.exec(text)?.groups;
  const { bus, name, size } = parts ?? {};
  if (name === undefined || size === undefined)
    throw new UserError(`the drive ${text} is not of the form [BUS:]ID:SIZE, such as disk1:10GiB.`);
  const wanted = bus === undefined ? undefined : busOf(bus);
  const named = namedDrive(name);
  return { id: named.id, bus: wanted ?? named.bus ?? 'scsi', size_bytes: sizeOf(size) };
}

export function listed(words: readonly string[]): string {
  return words.length < 2 ? words.join('') : `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}
