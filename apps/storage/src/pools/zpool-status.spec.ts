import { describe, expect, it } from 'vitest';
import manual from './samples/zpool-status-manual.json' with { type: 'json' };
import degraded from './samples/zpool-status-degraded.json' with { type: 'json' };
import { describePool, poolType, scrubStatus, trimStatus } from './pool-state.ts';
import { type PoolStatus, parseStatus } from './zpool-status.ts';

const id = (name: string): string => `/dev/disk/by-id/${name}`;

function read(sample: unknown, pool: string): PoolStatus {
  const found = parseStatus(JSON.stringify(sample)).find(({ name }) => name === pool);
  if (found === undefined) throw new Error(`no pool ${pool}`);
  return found;
}

describe('the output of zpool status', () => {
  it('as in the manual gives groups and members by what they are for', () => {
    const tank = read(manual, 'tank');
    expect(tank.state).toBe('ONLINE');
    expect(
      tank.groups.filter(({ role }) => role === 'devices').map(({ name, kind }) => [name, kind]),
    ).toEqual([['raidz1-0', 'raidz1']]);
    expect(tank.groups.find(({ role }) => role === 'special')?.kind).toBe('disk');
    expect(tank.members.filter(({ role }) => role === 'devices')).toHaveLength(3);
    expect(tank.members[0]).toMatchObject({
      device: '/dev/disk/by-partuuid/ca1eb824-c371-491d-ac13-37637e35c683',
      group: 'raidz1-0',
    });
  });

  it('names members by their path without the partition that ZFS made, and missing ones by what they were', () => {
    const { members } = read(degraded, 'tank');
    expect(
      members.map(({ role, device, state, group, leaving }) => [role, device, state, group, leaving]),
    ).toEqual([
      ['devices', id('scsi-35000c500a1'), 'ONLINE', 'mirror-0', false],
      ['devices', id('scsi-35000c500a2'), 'UNAVAIL', 'mirror-0', true],
      ['devices', id('scsi-35000c500a3'), 'ONLINE', 'mirror-0', false],
      ['devices', id('scsi-35000c500b1'), 'ONLINE', 'mirror-1', false],
      ['devices', id('scsi-35000c500b2'), 'OFFLINE', 'mirror-1', false],
      ['log', id('nvme-fast-part2'), 'ONLINE', undefined, false],
      ['cache', '/dev/sdq', 'FAULTED', undefined, false],
    ]);
    expect(members[1]?.handle).toBe('6982750226085199860');
  });

  it('becomes the pool of the API', () => {
    const status = read(degraded, 'tank');
    const dataset = {
      name: 'tank',
      used: 1n,
      quota: 0n,
      use: '-',
      keyStatus: 'available',
      smallBlocksKiB: 0,
    };
    const volume = { ...dataset, name: 'tank/v', used: 5n, quota: 7n, use: 'incus' };
    expect(describePool(status, [dataset, volume], true, (device) => device)).toMatchObject({
      type: 'zfs-raid10',
      state: 'DEGRADED',
      managed: true,
      encryption_key_status: 'available',
      devices: [id('scsi-35000c500a1'), id('scsi-35000c500a3'), id('scsi-35000c500b1')],
      devices_degraded: [id('scsi-35000c500a2'), id('scsi-35000c500b2')],
      cache: [],
      cache_degraded: ['/dev/sdq'],
      raw_pool_size_in_bytes: 3_985_729_650_688n,
      pool_allocated_space_in_bytes: 67_108_864_000n,
      last_scrub: {
        state: 'IN_PROGRESS',
        progress: '50.00%',
        start_time: '2025-11-01T12:26:40Z',
        end_time: '1970-01-01T00:00:00Z',
      },
      last_trim: { state: 'IN_PROGRESS', progress: '75.00%', errors: 1 },
      volumes: [{ name: 'v', usage_in_bytes: 5n, quota_in_bytes: 7n, use: 'incus' }],
    });
    const local = describePool(read(degraded, 'local'), [], false, (device) => device);
    expect(local).toMatchObject({
      devices: ['/dev/disk/by-partlabel/local-data'],
      type: 'zfs-raid0',
      last_scrub: undefined,
      last_trim: undefined,
      volumes: [],
    });
  });

  it('of a layout that is none of ours is refused by name', () => {
    const group = { role: 'devices' as const, totalSpace: 0n, deflatedSpace: 0n, allocatedSpace: 0n };
    const groups = [
      { ...group, name: 'mirror-0', kind: 'mirror' as const },
      { ...group, name: 'sdb', kind: 'disk' as const },
    ];
    expect(() => poolType('tank', groups)).toThrow("got unexpected zpool type 'sdb' in zpool 'tank'");
  });
});

describe('the progress', () => {
  const scan = {
    function: 'SCRUB',
    state: 'SCANNING',
    startTime: 1,
    endTime: 0,
    toExamine: 300n,
    examined: 100n,
    errors: 0,
  };

  it.each([
    [{}, 'IN_PROGRESS', '33.33%'],
    [{ examined: 300n }, 'IN_PROGRESS', '99.99%'],
    [{ examined: 900n }, 'IN_PROGRESS', '99.99%'],
    [{ toExamine: 0n, examined: 0n }, 'IN_PROGRESS', '0.00%'],
    [{ state: 'FINISHED', toExamine: 0n }, 'FINISHED', '100.00%'],
    [{ state: 'CANCELED' }, 'UNKNOWN', '33.33%'],
  ])('of a scrub %o is %s, %s', (change, state, progress) => {
    expect(scrubStatus({ ...scan, ...change })).toMatchObject({ state, progress });
  });

  it.each([
    [['UNTRIMMED'], undefined],
    [[undefined], 'UNSUPPORTED'],
    [['COMPLETE', undefined], 'FINISHED'],
    [['COMPLETE', 'CANCELED'], 'CANCELED'],
    [['SUSPENDED', 'COMPLETE'], 'SUSPENDED'],
    [['ACTIVE', 'SUSPENDED'], 'IN_PROGRESS'],
  ])('of a trim whose members say %o is %s', (states, state) => {
    const trims = states.map((each) => ({ state: each, trimmed: 1n, toTrim: 2n, actionTime: 5, errors: 0 }));
    expect(trimStatus(trims)?.state).toBe(state);
  });
});
