/** Turns a vdev specification (`mirror A B log C`) into vdevs, with ZFS' own checks and words. */
import { type BlockDevice, clearDrive, findDevice, nodeOf, sizeOf } from '../devices.ts';
import {
  MiB,
  type Partition,
  type Pool,
  type StorageSection,
  type Vdev,
  type VdevClass,
} from '../section.ts';
import { newGuid, poolLeaves } from './vdevs.ts';

/** Sizes may differ by this much (zpool_vdev.c: ZPOOL_FUZZ). */
const fuzz = 16 * MiB;

interface Group {
  readonly type: 'disk' | 'mirror' | 'raidz';
  readonly parity: number;
  readonly class: VdevClass;
  readonly paths: string[];
}

/** A refusal in the words of the tool. */
export class Refusal extends Error {
  /** @param exitCode 255 where the tool hands on the -1 of its library. */
  constructor(
    message: string,
    readonly exitCode = 1,
  ) {
    super(message);
  }
}

export function readGroups(words: readonly string[]): Group[] {
  const groups: Group[] = [];
  let current: Group | undefined;
  let vdevClass: VdevClass = 'normal';
  for (const word of words) {
    if (word === 'log' || word === 'cache' || word === 'special') {
      vdevClass = word;
      current = undefined;
      continue;
    }
    const raidz = /^raidz([123])?$/u.exec(word);
    if (raidz !== null || word === 'mirror') {
      if (vdevClass === 'cache')
        throw new Refusal(`invalid vdev specification: unsupported 'cache' device: ${word}`);
      current = {
        type: raidz === null ? 'mirror' : 'raidz',
        parity: Number(raidz?.[1] ?? (raidz === null ? 0 : 1)),
        class: vdevClass,
        paths: [],
      };
      groups.push(current);
      continue;
    }
    if (current === undefined) groups.push({ type: 'disk', parity: 0, class: vdevClass, paths: [word] });
    else current.paths.push(word);
  }
  for (const { type, parity, paths } of groups) checkCount(type, parity, paths.length);
  return groups;
}

function checkCount(type: Group['type'], parity: number, count: number): void {
  const name = type === 'raidz' ? `raidz${parity}` : type;
  const least = type === 'mirror' ? 2 : type === 'raidz' ? parity + 1 : 1;
  if (count < least)
    throw new Refusal(`invalid vdev specification: ${name} requires at least ${least} devices`);
}

/** The device for a path as the tool resolves it. */
export function resolveDevice(storage: Readonly<StorageSection>, given: string): BlockDevice {
  const path = given.startsWith('/') ? given : `/dev/disk/by-id/${given}`;
  const device = findDevice(storage, path);
  if (device !== undefined) return device;
  if (given.startsWith('/')) throw new Refusal(`cannot resolve path '${given}'`);
  throw new Refusal(
    `cannot open '${given}': no such device in /dev\nmust be a full path or shorthand device name`,
  );
}

/** Why a device may not be taken; the second kind can be overridden with `-f`. */
export function usage(
  storage: Readonly<StorageSection>,
  path: string,
  device: BlockDevice,
): { always?: string; unlessForced?: string } {
  const partitions = device.partition === undefined ? device.drive.partitions : [device.partition];
  for (const partition of partitions) {
    const pool = storage.pools.find((candidate) =>
      poolLeaves(candidate).some((leaf) => leaf.guid === partition.zfs_label),
    );
    const node = nodeOf({ drive: device.drive, partition });
    if (partition.mapper !== undefined && partition.open === true && device.partition === undefined) {
      return { always: `${nodeOf(device)} is in use and contains a crypto_LUKS filesystem.` };
    }
    if (pool?.imported === true) return { always: `${path} is in use and contains a unknown filesystem.` };
    if (pool !== undefined) {
      const member = device.partition === undefined ? `${path}-part${partition.number}` : path;
      return { unlessForced: `${member} is part of exported pool '${pool.name}'` };
    }
    if (['root', 'esp', 'swap'].includes(partition.label))
      return {
        always: `${node} is in use and contains a ${partition.label === 'esp' ? 'vfat' : 'crypto_LUKS'} filesystem.`,
      };
  }
  if (device.drive.signature !== undefined) {
    return { unlessForced: `${path} contains a filesystem of type '${device.drive.signature}'` };
  }
  return {};
}

const twice =
  'one or more vdevs refer to the same device, or one of\nthe devices is part of an active md or lvm device';

/**
 * Checks a specification against the drives and the pool that it is for.
 * @throws Refusal in the tool's words.
 */
export function checkSpec(
  storage: Readonly<StorageSection>,
  groups: readonly Group[],
  force: boolean,
  doing: string,
  pool?: Pool,
): void {
  const complaints: string[] = [];
  const seen = new Set<string>();
  for (const group of groups) {
    const sizes: number[] = [];
    for (const path of group.paths) {
      const device = resolveDevice(storage, path);
      const node = nodeOf(device);
      if (seen.has(node)) throw new Refusal(`${doing}: ${twice}`);
      seen.add(node);
      const { always, unlessForced } = usage(storage, path, device);
      if (always !== undefined) throw new Refusal(always);
      if (unlessForced !== undefined) complaints.push(unlessForced);
      sizes.push(sizeOf(device));
    }
    const name = group.type === 'raidz' ? 'raidz' : group.type;
    if (Math.max(...sizes) - Math.min(...sizes) > fuzz)
      complaints.push(`${name} contains devices of different sizes`);
  }
  complaints.push(...replication(groups, pool));
  if (complaints.length > 0 && !force) {
    throw new Refusal(
      `invalid vdev specification\nuse '-f' to override the following errors:\n${complaints.join('\n')}`,
    );
  }
}

interface Replication {
  readonly type: string;
  readonly parity: number;
  readonly children: number;
}

function replication(groups: readonly Group[], pool: Pool | undefined): string[] {
  const counted = groups.filter((group) => group.class === 'normal' || group.class === 'special');
  const levels = counted.map(({ type, parity, paths }): Replication => ({
    type,
    parity,
    children: type === 'disk' ? 1 : paths.length,
  }));
  const existing = pool?.vdevs
    .filter((vdev) => vdev.class === 'normal' || vdev.class === 'special')
    .map((vdev): Replication => ({
      type: vdev.type === 'replacing' ? 'disk' : vdev.type,
      parity: vdev.parity ?? 0,
      children: vdev.type === 'disk' ? 1 : vdev.children.length,
    }));
  for (const [index, level] of levels.entries()) {
    const before = levels[index - 1];
    if (before === undefined || (before.type === 'disk' && level.type === 'disk')) continue;
    if (redundancyEqual(before, level)) continue;
    if (before.type !== level.type)
      return [`mismatched replication level: both ${before.type} and ${level.type} vdevs are present`];
    if (before.parity !== level.parity)
      return [
        `mismatched replication level: both ${before.parity} and ${level.parity} device parity ${level.type} vdevs are present`,
      ];
    if (before.children !== level.children)
      return [
        `mismatched replication level: both ${before.children}-way and ${level.children}-way ${level.type} vdevs are present`,
      ];
  }
  const level = levels.at(-1);
  const current = existing?.at(-1);
  if (level === undefined || current === undefined || redundancyEqual(current, level)) return [];
  if (current.type !== level.type)
    return [`mismatched replication level: pool uses ${current.type} and new vdev is ${level.type}`];
  if (current.parity !== level.parity)
    return [
      `mismatched replication level: pool uses ${current.parity} device parity and new vdev uses ${level.parity}`,
    ];
  if (current.children !== level.children && level.type !== 'disk') {
    return [
      `mismatched replication level: pool uses ${current.children}-way ${current.type} and new vdev uses ${level.children}-way ${level.type}`,
    ];
  }
  return [];
}

function redundancyEqual(a: Replication, b: Replication): boolean {
  const [raidz, mirror] = a.type === 'raidz' ? [a, b] : [b, a];
  return raidz.type === 'raidz' && mirror.type === 'mirror' && raidz.parity === mirror.children - 1;
}

/** Takes a device for a pool: a whole drive gets partitions 1 and 9, as ZFS on Linux makes them, and a label. */
export function takeDevice(storage: StorageSection, id: number, given: string, vdevClass: VdevClass): Vdev {
  const device = resolveDevice(storage, given);
  const path = given.startsWith('/') ? given : `/dev/disk/by-id/${given}`;
  const guid = newGuid();
  const disk = { id, guid, type: 'disk' as const, class: vdevClass, children: [] };
  if (device.partition !== undefined) {
    device.partition.zfs_label = guid;
    return { ...disk, path, whole_disk: false, size: device.partition.size_bytes };
  }
  const { drive } = device;
  clearDrive(drive);
  const size = drive.size_bytes - 10 * MiB;
  const first: Partition = {
    number: 1,
    label: `zfs-${BigInt(guid).toString(16).padStart(16, '0')}`,
    start_sector: 2048,
    size_bytes: size,
    zfs_label: guid,
  };
  const reserve = { number: 9, label: '', start_sector: 2048 + size / 512, size_bytes: 8 * MiB };
  drive.partition_table = true;
  drive.partitions = [first, reserve];
  return {
    ...disk,
    path: `${path}${path.startsWith('/dev/disk/') ? '-part' : /\d$/u.test(path) ? 'p' : ''}1`,
    whole_disk: true,
    size,
  };
}

/** Makes the vdevs of a checked specification. */
export function takeGroups(storage: StorageSection, pool: Pool, groups: readonly Group[]): void {
  for (const group of groups) {
    const id = pool.next_vdev_id;
    pool.next_vdev_id += 1;
    if (group.type === 'disk') {
      for (const path of group.paths) pool.vdevs.push(takeDevice(storage, id, path, group.class));
      continue;
    }
    const children = group.paths.map((path, index) => takeDevice(storage, index, path, group.class));
    const parity = group.type === 'raidz' ? { parity: group.parity } : {};
    pool.vdevs.push({ id, guid: newGuid(), type: group.type, ...parity, class: group.class, children });
  }
}
