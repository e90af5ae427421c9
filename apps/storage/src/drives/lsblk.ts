/** What `lsblk -J` says (lsblk(8)). */
import { integerOf, parseProgramJson } from '../program-json.ts';

export interface BlockDevice {
  /** The kernel's node, such as `/dev/sda`. */
  readonly node: string;
  /** udev's main name for it; absent for what udev can't identify, such as eMMC boot areas. */
  readonly idLink: string | undefined;
  readonly size: bigint;
  /** Such as `block:scsi:pci`. */
  readonly subsystems: string;
  readonly removable: boolean;
  readonly wwn: string | undefined;
}

/** RAM disk, floppy, loop, NBD, DRBD, zvol, Ceph RBD: block devices that aren't drives. */
const excludedMajors = '1,2,7,43,147,230,251';

export const listDrives = [
  'lsblk',
  '-JMpdb',
  '-e',
  excludedMajors,
  '-o',
  'KNAME,ID_LINK,SIZE,SUBSYSTEMS,RM,WWN',
] as const;
/** Only the column NAME makes lsblk print what is on a device as its children. */
export const listMounts = ['lsblk', '-Jp', '-e', excludedMajors, '-o', 'NAME,TYPE,MOUNTPOINTS'] as const;

interface Entry {
  readonly name?: unknown;
  readonly kname?: unknown;
  readonly 'id-link'?: unknown;
  readonly id_link?: unknown;
  readonly size?: unknown;
  readonly subsystems?: unknown;
  readonly rm?: unknown;
  readonly wwn?: unknown;
  readonly type?: unknown;
  readonly mountpoints?: unknown;
  readonly children?: unknown;
}

function entries(value: unknown): Entry[] {
  return Array.isArray(value)
    ? value.filter((entry): entry is Entry => typeof entry === 'object' && entry !== null)
    : [];
}

function devices(text: string): Entry[] {
  const parsed: unknown = parseProgramJson(text);
  if (typeof parsed !== 'object' || parsed === null || !('blockdevices' in parsed)) {
    throw new Error('lsblk did not list block devices');
  }
  return entries(parsed.blockdevices);
}

function text(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** Reads the output of {@link listDrives}. */
export function parseDrives(output: string): BlockDevice[] {
  return devices(output).flatMap((entry) => {
    const node = text(entry.kname);
    if (node === undefined) return [];
    return {
      node,
      idLink: text(entry['id-link']) ?? text(entry.id_link),
      size: integerOf(entry.size),
      subsystems: text(entry.subsystems) ?? '',
      removable: entry.rm === true || entry.rm === '1',
      wwn: text(entry.wwn),
    };
  });
}

/** The node of the drive below the root file system, from the output of {@link listMounts}. */
export function parseRootDisk(output: string): string | undefined {
  const carriesRoot = (entry: Entry): boolean =>
    (Array.isArray(entry.mountpoints) && entry.mountpoints.includes('/')) ||
    entries(entry.children).some(carriesRoot);
  return text(devices(output).find(carriesRoot)?.name);
}
