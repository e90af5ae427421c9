/** Reads `zpool status -tjp --json-int` (OpenZFS 2.3, schema 0.1). */
import { integerOf, parseProgramJson } from '../program-json.ts';

/** What a member of a pool is there for. */
export type MemberRole = 'devices' | 'cache' | 'log' | 'special';

export interface PoolMember {
  readonly role: MemberRole;
  /** Its path without ZFS' own partition, such as `/dev/disk/by-id/scsi-1`. */
  readonly device: string;
  /** How `zpool` commands may call it: its path, or its guid when it was missing at import. */
  readonly handle: string;
  /** `ONLINE`, `DEGRADED`, `FAULTED`, `OFFLINE`, `REMOVED` or, which text output calls `UNAVAIL`, `CANT_OPEN`. */
  readonly state: string;
  /** The group it belongs to, such as `mirror-0`; absent for a plain device. */
  readonly group: string | undefined;
  /** It is being replaced or evacuated, and will be no member afterwards. */
  readonly leaving: boolean;
}

export interface Group {
  readonly role: MemberRole;
  /** Such as `mirror-0`, or the member's name for a plain device. */
  readonly name: string;
  readonly kind: 'disk' | 'mirror' | 'raidz1' | 'raidz2' | 'raidz3' | 'other';
  /** Bytes. */
  readonly totalSpace: bigint;
  readonly deflatedSpace: bigint;
  readonly allocatedSpace: bigint;
}

export interface ScanStatus {
  readonly function: string;
  /** `SCANNING`, `FINISHED`, `CANCELED` or `NONE`. */
  readonly state: string;
  /** Seconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
  readonly toExamine: bigint;
  readonly examined: bigint;
  readonly errors: number;
}

export interface TrimStatus {
  /** `ACTIVE`, `SUSPENDED`, `CANCELED`, `COMPLETE`, `UNTRIMMED`; absent where the drive can't. */
  readonly state: string | undefined;
  readonly trimmed: bigint;
  readonly toTrim: bigint;
  /** Seconds since 1970. */
  readonly actionTime: number;
  readonly errors: number;
}

export interface PoolStatus {
  readonly name: string;
  readonly state: string;
  readonly groups: readonly Group[];
  readonly members: readonly PoolMember[];
  readonly scan: ScanStatus | undefined;
  readonly trims: readonly TrimStatus[];
}

export const readStatus = ['zpool', 'status', '-tjp', '--json-int'] as const;

type Fields = Readonly<Record<string, unknown>>;

function fields(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function number(value: unknown): number {
  return typeof value === 'number' || typeof value === 'string' ? Number(value) || 0 : 0;
}

/** Sections beside the data vdevs, and what their members are for. */
const sections: Readonly<Record<string, MemberRole>> = { special: 'special', logs: 'log', l2cache: 'cache' };

/** @throws SyntaxError when it isn't JSON. */
export function parseStatus(output: string): PoolStatus[] {
  const pools = fields(fields(parseProgramJson(output))['pools']);
  return Object.entries(pools).map(([name, value]) => readPool(name, fields(value)));
}

function readPool(name: string, pool: Fields): PoolStatus {
  const root = fields(fields(pool['vdevs'])[name]);
  const groups: Group[] = [];
  const members: PoolMember[] = [];
  const trims: TrimStatus[] = [];
  const read = (role: MemberRole, vdevs: unknown): void => {
    for (const [key, value] of Object.entries(fields(vdevs))) {
      const vdev = fields(value);
      groups.push(readGroup(role, key, vdev));
      readMembers(
        { role, group: undefined, leaving: vdev['removing'] !== undefined },
        key,
        vdev,
        members,
        trims,
      );
    }
  };
  read('devices', root['vdevs']);
  for (const [section, role] of Object.entries(sections)) read(role, pool[section]);
  return {
    name,
    state: text(pool['state']),
    groups,
    members,
    scan: readScan(fields(pool['scan_stats'])),
    trims,
  };
}

function readGroup(role: MemberRole, name: string, vdev: Fields): Group {
  return {
    role,
    name,
    kind: kindOf(name, text(vdev['vdev_type'])),
    totalSpace: integerOf(vdev['total_space']),
    deflatedSpace: integerOf(vdev['def_space']),
    allocatedSpace: integerOf(vdev['alloc_space']),
  };
}

function kindOf(name: string, type: string): Group['kind'] {
  // A plain device that is being replaced is a group of the old and the new one for a while.
  if (type === 'disk' || type === 'file' || type === 'replacing' || type === 'spare') return 'disk';
  if (type === 'mirror') return 'mirror';
  const raidz = /^raidz([123])-/u.exec(name)?.[1];
  if (raidz === '1') return 'raidz1';
  if (raidz === '2') return 'raidz2';
  return raidz === '3' ? 'raidz3' : 'other';
}

interface Place {
  readonly role: MemberRole;
  readonly group: string | undefined;
  readonly leaving: boolean;
}

function readMembers(
  place: Place,
  name: string,
  vdev: Fields,
  members: PoolMember[],
  trims: TrimStatus[],
): void {
  const children = Object.entries(fields(vdev['vdevs']));
  const type = text(vdev['vdev_type']);
  if (children.length === 0) {
    const device = devicePath(name, vdev);
    members.push({
      ...place,
      device,
      handle: vdev['not_present'] === undefined ? device : name,
      state: text(vdev['state']),
    });
    if (vdev['trim_state'] !== undefined || vdev['trim_notsup'] !== undefined) trims.push(readTrim(vdev));
    return;
  }
  for (const [index, [key, child]] of children.entries()) {
    // Of the two in a `replacing` group the first is the one that goes.
    const goes = type === 'replacing' && index < children.length - 1;
    const group = type === 'replacing' || type === 'spare' ? place.group : name;
    readMembers({ ...place, group, leaving: place.leaving || goes }, key, fields(child), members, trims);
  }
}

function devicePath(name: string, vdev: Fields): string {
  const path = text(vdev['path']) || text(vdev['was']);
  if (path === '') return `/dev/disk/by-id/${name}`;
  // One that is missing has its guid for a name, so that only the path tells which it is.
  if (vdev['not_present'] !== undefined) return path.replace(/-part1$/u, '');
  return `${path.slice(0, path.lastIndexOf('/'))}/${name}`;
}

function readScan(scan: Fields): ScanStatus | undefined {
  if (number(scan['start_time']) === 0) return undefined;
  return {
    function: text(scan['function']),
    state: text(scan['state']),
    startTime: number(scan['start_time']),
    endTime: number(scan['end_time']),
    toExamine: integerOf(scan['to_examine']),
    examined: integerOf(scan['examined']),
    errors: number(scan['errors']),
  };
}

function readTrim(vdev: Fields): TrimStatus {
  return {
    state: number(vdev['trim_notsup']) === 0 ? text(vdev['trim_state']) : undefined,
    trimmed: integerOf(vdev['trimmed']),
    toTrim: integerOf(vdev['to_trim']),
    actionTime: number(vdev['trim_time']),
    errors: number(vdev['trim_errors']),
  };
}
