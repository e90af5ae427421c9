/**
 * What a requested pool must satisfy before anything is touched. Texts are the API's. Every function here returns the
 * first thing that is wrong, and changes nothing.
 */
import type { SystemStoragePool } from '@incusos/contracts/storage';
import { type PoolLayout, type PoolType, isPoolType } from './pool-layout.ts';

/** What is wrong with which field of a pool. */
export interface Violation {
  /** Below the pool, such as `devices[0]`; empty for the pool as a whole. */
  readonly field: string;
  readonly text: string;
}

const defaultAlignment = 4096;
/** OpenZFS takes an ashift from 9 to 16. */
const alignments = { least: 512, most: 65_536 };
/** Largest record that can be stored on special devices, in KiB. */
const maxSmallBlocksKiB = 16_384;

function wrong(field: string, text: string): Violation {
  return { field, text };
}

function isPowerOfTwo(value: number): boolean {
  return Number.isInteger(value) && value > 0 && (value & (value - 1)) === 0;
}

/** Why ZFS would not take a pool's name (zpool-create(8)); `undefined` when it would. */
export function nameProblem(name: string): string | undefined {
  if (name.length > 200) return 'it is longer than 200 characters';
  if (!/^[a-zA-Z]/u.test(name)) return 'it must begin with a letter';
  const bad = /[^a-zA-Z0-9_.:-]/u.exec(name)?.[0];
  if (bad !== undefined) return `it must not contain '${bad}'`;
  if (name === 'log' || /^(?:mirror|raidz|draid|spare)/u.test(name)) return 'ZFS reserves it';
  return undefined;
}

function countProblem(type: PoolType, count: number, what: string): string | undefined {
  if (type === 'zfs-raid1' && count < 2)
    return `at least two devices must be specified when creating a raid1 ${what}`;
  if (type === 'zfs-raid10' && count < 4)
    return `at least four devices must be specified when creating a raid10 ${what}`;
  if (type === 'zfs-raid10' && count % 2 !== 0)
    return `an even number of devices must be specified when creating a raid10 ${what}`;
  return undefined;
}

/** What is known of the machine that a creation depends on. */
export interface CreationFacts {
  readonly exists: boolean;
  readonly keyExists: boolean;
}

/** The first thing wrong with a pool to be created. */
export function creationProblem(
  pool: SystemStoragePool,
  { exists, keyExists }: CreationFacts,
): Violation | undefined {
  const { name, type, devices, special, alignment } = pool;
  if (name === '') return wrong('name', 'a name for the zpool must be provided');
  if (exists) return wrong('name', `zpool '${name}' already exists`);
  if (keyExists) return wrong('name', `encryption key for '${name}' already exists`);
  const unusable = nameProblem(name);
  if (unusable !== undefined) return wrong('name', `zpool can't be called '${name}': ${unusable}`);
  if (!isPoolType(type)) return wrong('type', `unsupported pool type ${type}`);
  if (devices.length === 0) return wrong('devices', 'at least one device must be specified');
  const count = countProblem(type, devices.length, 'pool');
  if (count !== undefined) return wrong('devices', count);
  if (special !== undefined) {
    if (!isPoolType(special.type))
      return wrong('special.type', `unsupported special device type ${special.type}`);
    if (special.devices.length === 0)
      return wrong('special.devices', 'at least one device must be specified');
    const specialCount = countProblem(special.type, special.devices.length, 'special vdev');
    if (specialCount !== undefined) return wrong('special.devices', specialCount);
    const kib = special.special_small_blocks_size_in_kb;
    if (kib !== 0 && !(isPowerOfTwo(kib) && kib <= maxSmallBlocksKiB)) {
      return wrong(
        'special.special_small_blocks_size_in_kb',
        `special small blocks size of ${kib} KiB must be a power of two up to ${maxSmallBlocksKiB}`,
      );
    }
  }
  if (alignment !== undefined && alignment !== 0) {
    if (!isPowerOfTwo(alignment) || alignment < alignments.least || alignment > alignments.most) {
      return wrong(
        'alignment',
        `alignment of ${alignment} bytes must be a power of two from ${alignments.least} to ${alignments.most}`,
      );
    }
  }
  return emptyDevice(pool);
}

function emptyDevice(pool: SystemStoragePool): Violation | undefined {
  for (const { field, device } of devicesOf(pool))
    if (device === '') return wrong(field, 'a device must have a name');
  return undefined;
}

/** Every device that a pool names, with its field. */
export function devicesOf(
  pool: Pick<SystemStoragePool, 'devices' | 'cache' | 'log' | 'special'>,
): { field: string; device: string }[] {
  const list = (field: string, devices: readonly string[]): { field: string; device: string }[] =>
    devices.map((device, index) => ({ field: `${field}[${index}]`, device }));
  return [
    ...list('devices', pool.devices),
    ...list('cache', pool.cache),
    ...list('log', pool.log),
    ...list('special.devices', pool.special?.devices ?? []),
  ];
}

/** ZFS' form of a sector size in bytes. */
export function ashiftOf(alignment: number | undefined): number {
  return Math.log2(alignment === undefined || alignment === 0 ? defaultAlignment : alignment);
}

/** The rules of the pool that the appliance itself lives on; `isSystemPartition` knows the partition by any name. */
export function localProblem(
  layout: Omit<PoolLayout, 'type'> & { readonly type: string },
  systemPartition: string,
  isSystemPartition: (device: string) => boolean,
): Violation | undefined {
  if (layout.type !== 'zfs-raid0' && layout.type !== 'zfs-raid1')
    return wrong('type', "special zpool 'local' type must be either zfs-raid0 or zfs-raid1");
  if (layout.devices.length > 2)
    return wrong('devices', "special zpool 'local' cannot consist of more than two devices");
  if (layout.log.length > 0) return wrong('log', "special zpool 'local' cannot have any log devices");
  if (layout.cache.length > 0) return wrong('cache', "special zpool 'local' cannot have any cache devices");
  if (layout.special !== undefined)
    return wrong('special', "special zpool 'local' cannot have any special devices");
  if (!layout.devices.some(isSystemPartition))
    return wrong(
      'devices',
      `special zpool 'local' must always include main system partition '${systemPartition}'`,
    );
  return undefined;
}
