import { describe, expect, it } from 'vitest';
import { createArgv, layoutWords, type PoolLayout } from './pool-layout.ts';

const layout = (change: Partial<PoolLayout>): PoolLayout => ({
  type: 'zfs-raid0',
  devices: ['a'],
  cache: [],
  log: [],
  special: undefined,
  ...change,
});

describe('a layout', () => {
  it.each([
    [{}, 'a'],
    [{ devices: ['a', 'b'] }, 'a b'],
    [{ type: 'zfs-raid1', devices: ['a', 'b', 'c'] }, 'mirror a b c'],
    [{ type: 'zfs-raid10', devices: ['a', 'b', 'c', 'd'] }, 'mirror a b mirror c d'],
    [{ type: 'zfs-raid10', devices: ['a', 'b', 'c', 'd', 'e', 'f'] }, 'mirror a b mirror c d mirror e f'],
    [{ type: 'zfs-raidz1', devices: ['a', 'b', 'c'] }, 'raidz1 a b c'],
    [{ type: 'zfs-raidz2', devices: ['a', 'b', 'c'] }, 'raidz2 a b c'],
    [{ type: 'zfs-raidz3', devices: ['a', 'b', 'c', 'd'] }, 'raidz3 a b c d'],
    [{ cache: ['x', 'y'] }, 'a cache x y'],
    [{ log: ['x'] }, 'a log x'],
    [{ log: ['x', 'y', 'z'] }, 'a log mirror x y z'],
    [{ special: { type: 'zfs-raid10', devices: ['s', 't', 'u', 'v'] } }, 'a special mirror s t mirror u v'],
    [
      {
        type: 'zfs-raid1',
        devices: ['a', 'b'],
        cache: ['c'],
        log: ['l', 'm'],
        special: { type: 'zfs-raid1', devices: ['s', 't'] },
      },
      'mirror a b special mirror s t log mirror l m cache c',
    ],
  ] as [Partial<PoolLayout>, string][])('%o is "%s"', (change, words) => {
    expect(layoutWords(layout(change)).join(' ')).toBe(words);
  });
});

describe('the command that creates a pool', () => {
  const plan = {
    ...layout({}),
    name: 'tank',
    ashift: 12,
    keyFile: '/keys/zpool.tank.key',
    smallBlocksKiB: 0,
  };

  it('encrypts it with the key in a file', () => {
    expect(createArgv(plan, false).join(' ')).toBe(
      'zpool create -o ashift=12 -O mountpoint=none -O encryption=aes-256-gcm -O keyformat=raw -O keylocation=file:///keys/zpool.tank.key tank a',
    );
  });

  it('says which blocks are small, and overrides ZFS only when told to', () => {
    expect(createArgv({ ...plan, smallBlocksKiB: 64 }, true)).toEqual(
      expect.arrayContaining(['-f', 'special_small_blocks=64K']),
    );
  });
});
