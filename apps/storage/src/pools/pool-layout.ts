/** The arguments of `zpool` for the layouts of pools (zpoolconcepts(7), "Virtual Devices"). */

export const poolTypes = [
  'zfs-raid0',
  'zfs-raid1',
  'zfs-raid10',
  'zfs-raidz1',
  'zfs-raidz2',
  'zfs-raidz3',
] as const;
export type PoolType = (typeof poolTypes)[number];

export function isPoolType(text: string): text is PoolType {
  return (poolTypes as readonly string[]).includes(text);
}

/** What a new pool consists of; devices are paths. */
export interface PoolLayout {
  readonly type: PoolType;
  readonly devices: readonly string[];
  readonly cache: readonly string[];
  readonly log: readonly string[];
  readonly special: { readonly type: PoolType; readonly devices: readonly string[] } | undefined;
}

/** How a new pool is made. */
export interface CreationPlan extends PoolLayout {
  readonly name: string;
  /** Sector size as a power of two: 12 for 4096 bytes. */
  readonly ashift: number;
  readonly keyFile: string;
  /** KiB; 0 for metadata only. */
  readonly smallBlocksKiB: number;
}

/** A vdev specification: `mirror A B mirror C D` for `zfs-raid10` of four. */
export function vdevWords(type: PoolType, devices: readonly string[]): string[] {
  switch (type) {
    case 'zfs-raid0':
      return [...devices];
    case 'zfs-raid1':
      return ['mirror', ...devices];
    case 'zfs-raid10':
      return pairs(devices).flatMap((pair) => ['mirror', ...pair]);
    case 'zfs-raidz1':
    case 'zfs-raidz2':
    case 'zfs-raidz3':
      return [type.slice('zfs-'.length), ...devices];
  }
}

function pairs(devices: readonly string[]): string[][] {
  const count = Math.floor(devices.length / 2);
  return Array.from({ length: count }, (_, index) => devices.slice(index * 2, index * 2 + 2));
}

/** Log devices are mirrored as soon as there are two. */
export function logType(count: number): PoolType {
  return count > 1 ? 'zfs-raid1' : 'zfs-raid0';
}

export function layoutWords({ type, devices, cache, log, special }: PoolLayout): string[] {
  const words = vdevWords(type, devices);
  if (special !== undefined && special.devices.length > 0)
    words.push('special', ...vdevWords(special.type, special.devices));
  if (log.length > 0) words.push('log', ...vdevWords(logType(log.length), log));
  if (cache.length > 0) words.push('cache', ...cache);
  return words;
}

/** `zpool create` for an encrypted pool whose key is in a file; the key itself is in no argument. */
export function createArgv(pool: CreationPlan, forced: boolean): [string, ...string[]] {
  const properties = [
    'mountpoint=none',
    'encryption=aes-256-gcm',
    'keyformat=raw',
    `keylocation=file://${pool.keyFile}`,
  ];
  if (pool.smallBlocksKiB > 0) properties.push(`special_small_blocks=${pool.smallBlocksKiB}K`);
  return [
    'zpool',
    'create',
    ...(forced ? ['-f'] : []),
    '-o',
    `ashift=${pool.ashift}`,
    ...properties.flatMap((property) => ['-O', property]),
    pool.name,
    ...layoutWords(pool),
  ];
}
