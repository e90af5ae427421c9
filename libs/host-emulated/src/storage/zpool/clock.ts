/** What takes time in a pool: resilvers, replacements, scrubs, trims and removals, settled by the clock. */
import type { Pool, StorageSection, Vdev } from '../section.ts';
import { allocated, deviceOf, leaves, poolLeaves } from './vdevs.ts';

/** A resilver or a scrub takes this long, and a second for each 10 GiB. */
const baseMs = 1_500;
export const removalMs = 500;

export function workMs(pool: Pool): number {
  return baseMs + Math.round(allocated(pool) / 1024 ** 3 / 10) * 1000;
}

export function startResilver(pool: Pool, now: number): void {
  pool.scan = { function: 'RESILVER', started: now, duration: workMs(pool), errors: 0 };
}

/** Whether a scan still runs. */
export function scanning(pool: Pool, now: number): boolean {
  const { scan } = pool;
  return scan !== undefined && scan.canceled === undefined && now < scan.started + scan.duration;
}

export function resilvering(pool: Pool, now: number): boolean {
  return pool.scan?.function === 'RESILVER' && scanning(pool, now);
}

/** Finishes what is over by now: replaced members leave, evacuated vdevs go, and their labels with them. */
export function settle(storage: StorageSection, now: number): void {
  for (const pool of storage.pools) {
    if (!pool.imported) continue;
    if (!resilvering(pool, now)) for (const vdev of pool.vdevs) collapse(storage, vdev);
    const gone = pool.vdevs.filter((vdev) => vdev.removing_until !== undefined && vdev.removing_until <= now);
    for (const vdev of gone) for (const leaf of leaves(vdev)) dropLabel(storage, leaf);
    pool.vdevs = pool.vdevs.filter((vdev) => !gone.includes(vdev));
  }
}

function collapse(storage: StorageSection, vdev: Vdev): void {
  vdev.children = vdev.children.map((child) => {
    if (child.type !== 'replacing') {
      collapse(storage, child);
      return child;
    }
    const [old, replacement] = child.children;
    if (old !== undefined) dropLabel(storage, old);
    return replacement ?? child;
  });
  if (vdev.type !== 'replacing') return;
  // A single disk that is being replaced is the top-level vdev itself.
  const [old, replacement] = vdev.children;
  if (old === undefined || replacement === undefined) return;
  dropLabel(storage, old);
  Object.assign(vdev, { ...replacement, id: vdev.id, class: vdev.class });
}

export function dropLabel(storage: StorageSection, leaf: Vdev): void {
  const partition = deviceOf(storage, leaf)?.partition;
  if (partition !== undefined) delete partition.zfs_label;
}

/** The next moment at which something finishes by itself. */
export function nextChange(storage: Readonly<StorageSection>, now: number): number | undefined {
  const moments = storage.pools.flatMap((pool) => [
    ...(pool.scan === undefined ? [] : [pool.scan.started + pool.scan.duration]),
    ...pool.vdevs.flatMap((vdev) => (vdev.removing_until === undefined ? [] : [vdev.removing_until])),
    ...poolLeaves(pool).flatMap((leaf) =>
      leaf.trim === undefined ? [] : [leaf.trim.started + leaf.trim.duration],
    ),
  ]);
  const coming = moments.filter((moment) => moment > now);
  return coming.length === 0 ? undefined : Math.min(...coming);
}
