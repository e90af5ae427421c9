/** The state of a pool as the API shows it, from what ZFS says. */
import {
  SystemStoragePool,
  SystemStoragePoolScrubStatus,
  SystemStoragePoolTrimStatus,
} from '@incusos/contracts/storage';
import type { Dataset } from './datasets.ts';
import type { Group, MemberRole, PoolMember, PoolStatus, ScanStatus, TrimStatus } from './zpool-status.ts';

/** Where the partition of the system disk is that pool `local` is on. */
export const localDataPath = '/dev/disk/by-partlabel/local-data';

/** How a member's device is called in the API; another name of the same device may be the better one. */
export type DeviceNamer = (device: string) => string;

/**
 * The type of a pool from its top-level vdevs.
 * @throws Error when it is none that the API knows.
 */
export function poolType(pool: string, groups: readonly Group[], role: MemberRole = 'devices'): string {
  const kinds = groups.filter((group) => group.role === role).map((group) => group.kind);
  const [kind] = kinds;
  if (kind !== undefined && kinds.every((other) => other === kind)) {
    if (kind === 'disk') return 'zfs-raid0';
    if (kind === 'mirror') return kinds.length === 1 ? 'zfs-raid1' : 'zfs-raid10';
    if (kind !== 'other' && kinds.length === 1) return `zfs-${kind}`;
  }
  const odd =
    groups.find((group) => group.role === role && group.kind !== kind) ??
    groups.find((group) => group.role === role);
  throw new Error(`got unexpected zpool type '${odd?.name ?? ''}' in zpool '${pool}'`);
}

function typeOrEmpty(pool: string, groups: readonly Group[], role: MemberRole): string {
  try {
    return poolType(pool, groups, role);
  } catch {
    return '';
  }
}

export function isOnline(member: PoolMember): boolean {
  return member.state === 'ONLINE' && !member.leaving;
}

export function describePool(
  status: PoolStatus,
  datasets: readonly Dataset[],
  managed: boolean,
  nameOf: DeviceNamer,
): SystemStoragePool {
  const root = datasets.find((dataset) => dataset.name === status.name);
  const list = (role: MemberRole, online: boolean): string[] =>
    status.members
      .filter((member) => member.role === role && isOnline(member) === online)
      // One that works until its replacement is ready is neither a member to count on nor a broken one.
      .filter((member) => !(member.leaving && member.state === 'ONLINE'))
      .map((member) => nameOf(member.device))
      .toSorted();
  const data = status.groups.filter((group) => group.role === 'devices');
  const sum = (of: (group: Group) => bigint): bigint => data.reduce((total, group) => total + of(group), 0n);
  const hasSpecial = status.groups.some((group) => group.role === 'special');
  return SystemStoragePool.create({
    name: status.name,
    type: typeOrEmpty(status.name, status.groups, 'devices'),
    devices: list('devices', true),
    cache: list('cache', true),
    log: list('log', true),
    ...(hasSpecial
      ? {
          special: {
            type: typeOrEmpty(status.name, status.groups, 'special'),
            special_small_blocks_size_in_kb: root?.smallBlocksKiB ?? 0,
            devices: list('special', true),
          },
        }
      : {}),
    managed,
    state: status.state,
    last_scrub: scrubStatus(status.scan),
    last_trim: trimStatus(status.trims),
    encryption_key_status: root === undefined ? '' : root.keyStatus === '-' ? 'NONE' : root.keyStatus,
    devices_degraded: list('devices', false),
    cache_degraded: list('cache', false),
    log_degraded: list('log', false),
    special_degraded: list('special', false),
    raw_pool_size_in_bytes: sum((group) => group.totalSpace),
    usable_pool_size_in_bytes: sum((group) => group.deflatedSpace),
    pool_allocated_space_in_bytes: sum((group) => group.allocatedSpace),
    volumes: datasets
      .filter((dataset) => dataset.name.startsWith(`${status.name}/`))
      .map(({ name, used, quota, use }) => ({
        name: name.slice(status.name.length + 1),
        usage_in_bytes: used,
        quota_in_bytes: quota,
        use,
      })),
  });
}

function timestamp(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replace(/\.000Z$/u, 'Z');
}

function percent(done: bigint, all: bigint, running: boolean): string {
  if (all === 0n) return '0.00%';
  const share = (Number(done) / Number(all)) * 100;
  return `${(running && share > 99.99 ? 99.99 : Math.min(100, share)).toFixed(2)}%`;
}

const scrubStates: Readonly<Record<string, string>> = { SCANNING: 'IN_PROGRESS', FINISHED: 'FINISHED' };

/** The scrub or resilver that runs, or the last one: ZFS keeps one of them, and clients follow both here. */
export function scrubStatus(scan: ScanStatus | undefined): SystemStoragePoolScrubStatus | undefined {
  if (scan === undefined) return undefined;
  const finished = scan.state === 'FINISHED';
  return SystemStoragePoolScrubStatus.create({
    state: scrubStates[scan.state] ?? 'UNKNOWN',
    start_time: timestamp(scan.startTime),
    end_time: timestamp(scan.endTime),
    progress: finished ? '100.00%' : percent(scan.examined, scan.toExamine, scan.state === 'SCANNING'),
    errors: scan.errors,
  });
}

const trimStates: Readonly<Record<string, string>> = {
  ACTIVE: 'IN_PROGRESS',
  SUSPENDED: 'SUSPENDED',
  CANCELED: 'CANCELED',
  COMPLETE: 'FINISHED',
};

/** The trim of all members as one: what is under way anywhere counts, then what was stopped anywhere. */
export function trimStatus(trims: readonly TrimStatus[]): SystemStoragePoolTrimStatus | undefined {
  if (trims.length === 0) return undefined;
  const able = trims.filter((trim) => trim.state !== undefined);
  const errors = able.reduce((sum, trim) => sum + trim.errors, 0);
  if (able.length === 0)
    return SystemStoragePoolTrimStatus.create({ state: 'UNSUPPORTED', progress: '0.00%' });
  const touched = able.filter(
    (trim) => trim.state !== 'UNTRIMMED' && trim.state !== 'NONE' && trim.state !== '',
  );
  if (touched.length === 0) return undefined;
  const order = ['ACTIVE', 'SUSPENDED', 'CANCELED', 'COMPLETE'];
  const state = order.find((candidate) => touched.some((trim) => trim.state === candidate));
  const done = touched.reduce((sum, trim) => sum + trim.trimmed, 0n);
  const all = touched.reduce((sum, trim) => sum + trim.toTrim, 0n);
  return SystemStoragePoolTrimStatus.create({
    state: trimStates[state ?? ''] ?? 'UNKNOWN',
    last_action_time: timestamp(Math.max(...touched.map((trim) => trim.actionTime))),
    progress: state === 'COMPLETE' ? '100.00%' : percent(done, all, state === 'ACTIVE'),
    errors,
  });
}
