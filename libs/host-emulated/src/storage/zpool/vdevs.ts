/** What ZFS makes of a pool's vdevs: their names, states and sizes, computed from the drives as they are now. */
import { findDevice, sizeOf, withoutPartition } from '../devices.ts';
import { MiB, type Pool, type StorageSection, type Vdev } from '../section.ts';

export type VdevState = 'ONLINE' | 'DEGRADED' | 'FAULTED' | 'OFFLINE' | 'UNAVAIL';

/** Labels at both ends of a device (vdev_impl.h: VDEV_LABEL_START_SIZE and VDEV_LABEL_END_SIZE). */
const labelBytes = 4.5 * MiB;
/** Sizes are cut to whole metaslabs. */
const metaslab = 16 * MiB;

/** Bytes that ZFS can use on a device of this size. */
export function usable(bytes: number): number {
  return Math.max(0, Math.floor((bytes - labelBytes) / metaslab) * metaslab);
}

export function leaves(vdev: Vdev): Vdev[] {
  return vdev.type === 'disk' ? [vdev] : vdev.children.flatMap(leaves);
}

export function poolLeaves(pool: Pool): Vdev[] {
  return pool.vdevs.flatMap(leaves);
}

/** The name that `zpool status` shows: the last part of the path, or the guid when it was missing at import. */
export function vdevName(vdev: Vdev): string {
  if (vdev.type === 'raidz') return `raidz${vdev.parity ?? 1}-${vdev.id}`;
  if (vdev.type !== 'disk') return `${vdev.type}-${vdev.id}`;
  if (vdev.not_present === true) return vdev.guid;
  const name = (vdev.path ?? '').replace(/^.*\//u, '');
  return vdev.whole_disk === true ? withoutPartition(name) : name;
}

/** Finds a vdev by what a person may call it: name, full path with or without `-part1`, or guid. */
export function findVdev(
  pool: Pool,
  name: string,
): { vdev: Vdev; siblings: Vdev[]; parent: Vdev | undefined } | undefined {
  const search = (siblings: Vdev[], parent: Vdev | undefined): ReturnType<typeof findVdev> => {
    for (const vdev of siblings) {
      if (isCalled(vdev, name)) return { vdev, siblings, parent };
      const below = search(vdev.children, vdev);
      if (below !== undefined) return below;
    }
    return undefined;
  };
  return search(pool.vdevs, undefined);
}

function isCalled(vdev: Vdev, name: string): boolean {
  if (name === vdev.guid || name === vdevName(vdev)) return true;
  if (vdev.path === undefined) return false;
  const path = name.startsWith('/') ? name : `/dev/disk/by-id/${name}`;
  return path === vdev.path || (vdev.whole_disk === true && path === withoutPartition(vdev.path));
}

/** The device that carries the label of this member, if it is plugged in. */
export function deviceOf(storage: Readonly<StorageSection>, vdev: Vdev): ReturnType<typeof findDevice> {
  const device = vdev.path === undefined ? undefined : findDevice(storage, vdev.path);
  return device?.partition?.zfs_label === vdev.guid ? device : undefined;
}

export function stateOf(storage: Readonly<StorageSection>, vdev: Vdev): VdevState {
  if (vdev.type === 'disk') return leafState(storage, vdev);
  const states = vdev.children.map((child) => stateOf(storage, child));
  const lost = states.filter((state) => state !== 'ONLINE' && state !== 'DEGRADED').length;
  const tolerated = vdev.type === 'raidz' ? (vdev.parity ?? 1) : vdev.children.length - 1;
  if (lost > tolerated) return 'UNAVAIL';
  return states.some((state) => state !== 'ONLINE') ? 'DEGRADED' : 'ONLINE';
}

function leafState(storage: Readonly<StorageSection>, vdev: Vdev): VdevState {
  if (vdev.offline === true) return 'OFFLINE';
  if (vdev.not_present === true || vdev.lost === true) return 'UNAVAIL';
  const there = vdev.path === undefined ? undefined : findDevice(storage, vdev.path);
  // Nobody tells ZFS that a drive was pulled out; it finds out when it uses it.
  if (there === undefined) return 'UNAVAIL';
  if (there.drive.failed) return 'FAULTED';
  return there.partition?.zfs_label === vdev.guid ? 'ONLINE' : 'UNAVAIL';
}

/** The state of the root vdev. Log and cache devices may be lost without the pool being so. */
export function rootState(storage: Readonly<StorageSection>, pool: Pool): VdevState {
  const states = pool.vdevs.map((vdev) => ({ vdev, state: stateOf(storage, vdev) }));
  const needed = states.filter(({ vdev }) => vdev.class === 'normal' || vdev.class === 'special');
  if (needed.some(({ state }) => state !== 'ONLINE' && state !== 'DEGRADED')) return 'UNAVAIL';
  const counted = states.filter(({ vdev }) => vdev.class !== 'cache');
  return counted.some(({ state }) => state !== 'ONLINE') ? 'DEGRADED' : 'ONLINE';
}

/** Raw bytes of a top-level vdev, as ZFS counts them: a mirror's is that of one side, a raidz group's that of all. */
export function spaceOf(vdev: Vdev): number {
  const sizes = leafSizes(vdev);
  const least = sizes.length === 0 ? 0 : Math.min(...sizes);
  return vdev.type === 'raidz' ? least * sizes.length : least;
}

/** Bytes of it that data can take, parity taken off. */
export function deflatedSpaceOf(vdev: Vdev): number {
  if (vdev.type !== 'raidz') return spaceOf(vdev);
  const width = vdev.children.length;
  return Math.floor((spaceOf(vdev) * (width - (vdev.parity ?? 1))) / width);
}

function leafSizes(vdev: Vdev): number[] {
  return vdev.type === 'disk'
    ? [usable(vdev.size ?? 0)]
    : vdev.children.map((child) => Math.min(...leafSizes(child)));
}

/** Bytes in use in the pool. */
export function allocated(pool: Pool): number {
  return 1.5 * MiB + pool.datasets.reduce((sum, dataset) => sum + dataset.used, 0);
}

/** Lets members of pools with `autoexpand`, or the given one, take what their devices have grown to. */
export function expand(storage: Readonly<StorageSection>, vdev: Vdev): void {
  const device = deviceOf(storage, vdev);
  if (device !== undefined) vdev.size = sizeOf(device);
}

/** A number that stands for a new guid. */
export function newGuid(): string {
  const parts = crypto.getRandomValues(new BigUint64Array(1));
  return String(parts[0] ?? 0n);
}
