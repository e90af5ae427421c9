import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeMachine, eventually, machine, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

interface Pool {
  readonly name: string;
  readonly type: string;
  readonly state: string;
  readonly managed: boolean;
  readonly devices: readonly string[];
  readonly devices_degraded?: readonly string[];
  readonly encryption_key_status: string;
  readonly usable_pool_size_in_bytes: number;
  readonly volumes: readonly { name: string; use: string; quota_in_bytes: number }[];
}

interface Storage {
  readonly config: { readonly scrub_schedule: string; readonly pools: readonly Pool[] };
  readonly state: {
    readonly drives: readonly {
      id: string;
      boot: boolean;
      capacity_in_bytes: number;
      member_pool?: string;
      bus: string;
    }[];
    readonly pools: readonly Pool[];
    readonly root_partition: { size_in_bytes: number; available_in_bytes: number };
  };
}

const storage = '/os/1.0/system/storage';
const GiB = 1024 ** 3;
const byId = (id: string): string => `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${id}`;

async function pool(name: string): Promise<Pool | undefined> {
  const { config } = await rest.get<Storage>(storage);
  return config.pools.find((candidate) => candidate.name === name);
}

async function drives(): Promise<Storage['state']['drives']> {
  return (await rest.get<Storage>(storage)).state.drives;
}

describe('storage', () => {
  it('lists the system drive, the root partition and the pool local', async () => {
    const { config, state } = await rest.get<Storage>(storage);
    const system = state.drives.find(({ boot }) => boot);
    expect(system).toMatchObject({
      id: '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root',
      member_pool: 'local',
    });
    expect(system?.capacity_in_bytes).toBe(50 * GiB);
    expect(state.root_partition.size_in_bytes).toBeGreaterThan(state.root_partition.available_in_bytes);
    expect(config.scrub_schedule).toBe('0 4 * * 0');
    expect(state.pools).toEqual(config.pools);
    expect(await pool('local')).toMatchObject({
      type: 'zfs-raid0',
      state: 'ONLINE',
      managed: true,
      encryption_key_status: 'available',
    });
  });

  it('needs the scrub schedule with every change', async () => {
    const { http, error } = await rest.envelope('PUT', storage, { json: { config: {} } });
    expect([http, error]).toEqual([
      400,
      expect.stringContaining('invalid cron expression provided for scrub schedule'),
    ]);
  });
});

describeMachine('a pool over drives that were plugged in', () => {
  // A drive that failed stays so, also in the next run on the same machine.
  const run = Date.now().toString(36).slice(-4);
  const [disk1, disk2, disk3] = [`disk1${run}`, `disk2${run}`, `disk3${run}`] as const;
  const change = (pools: readonly object[]): ReturnType<typeof rest.envelope> =>
    rest.envelope('PUT', storage, { json: { config: { scrub_schedule: '0 4 * * 0', pools } } });

  beforeAll(async () => {
    for (const id of [disk1, disk2, disk3]) await machine.hardware('drive', 'add', id, '--size', '10GiB');
    await eventually(async () => (await drives()).length >= 4, 'noticing the drives');
  });

  it('is created as a mirror, encrypted and managed', async () => {
    const { http, error } = await change([
      { name: 'data', type: 'zfs-raid1', devices: [byId(disk1), byId(disk2)] },
    ]);
    expect([http, error]).toEqual([200, '']);
    const made = await pool('data');
    expect(made).toMatchObject({
      type: 'zfs-raid1',
      state: 'ONLINE',
      managed: true,
      encryption_key_status: 'available',
      volumes: [],
    });
    expect(made?.devices).toEqual([byId(disk1), byId(disk2)]);
    expect(made?.usable_pool_size_in_bytes).toBeGreaterThan(9 * GiB);
    expect((await drives()).filter(({ member_pool }) => member_pool === 'data')).toHaveLength(2);
  });

  it('refuses a drive that is in use, and the system drive, and stays as it is', async () => {
    for (const device of [byId(disk1), '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root', '/dev/sda']) {
      const { http } = await change([{ name: 'second', type: 'zfs-raid0', devices: [device] }]);
      expect(http).toBeGreaterThanOrEqual(400);
      expect(http).toBeLessThan(500);
    }
    expect(await pool('second')).toBeUndefined();
  });

  it('holds volumes with a quota', async () => {
    await rest.succeed('POST', `${storage}/:create-volume`, {
      json: { pool: 'data', name: 'v1', quota: 1 * GiB, use: 'incus' },
    });
    expect((await pool('data'))?.volumes).toEqual([
      expect.objectContaining({ name: 'v1', use: 'incus', quota_in_bytes: 1 * GiB }),
    ]);
    const twice = await rest.envelope('POST', `${storage}/:create-volume`, {
      json: { pool: 'data', name: 'v1', quota: 0, use: 'incus' },
    });
    expect(twice.http).toBeGreaterThanOrEqual(400);
    await rest.succeed('POST', `${storage}/:delete-volume`, { json: { pool: 'data', name: 'v1' } });
    expect((await pool('data'))?.volumes).toEqual([]);
  });

  it('grows by a drive', async () => {
    const devices = [byId(disk1), byId(disk2), byId(disk3)];
    expect(await change([{ name: 'data', type: 'zfs-raid1', devices }])).toMatchObject({
      http: 200,
      error: '',
    });
    await eventually(async () => (await pool('data'))?.devices.length === 3, 'the third mirror side');
  });

  it('is shown degraded, with the drive to pull, when a drive fails', async () => {
    await machine.hardware('drive', 'fail', disk2);
    // A drive that nobody uses shows no errors: a write and a scrub do.
    await rest.succeed('POST', `${storage}/:create-volume`, {
      json: { pool: 'data', name: 'v2', quota: 0, use: 'incus' },
    });
    await eventually(async () => {
      await rest.envelope('POST', `${storage}/:scrub-pool`, { json: { name: 'data' } });
      return (await pool('data'))?.state === 'DEGRADED';
    }, 'noticing the failure');
    expect(await pool('data')).toMatchObject({
      devices: [byId(disk1), byId(disk3)],
      devices_degraded: [byId(disk2)],
    });
    await rest.succeed('POST', `${storage}/:delete-volume`, { json: { pool: 'data', name: 'v2' } });
  });

  it('is scrubbed on request', async () => {
    // Refused while the drive that came in is still being filled.
    await eventually(async () => {
      const { http } = await rest.envelope('POST', `${storage}/:scrub-pool`, { json: { name: 'data' } });
      return http === 200;
    }, 'the start of a scrub');
    await eventually(async () => {
      const shown = (await pool('data')) as (Pool & { last_scrub?: { state: string } }) | undefined;
      return shown?.last_scrub?.state === 'FINISHED';
    }, 'the end of the scrub');
  });

  it('is deleted, and its drives are free again', async () => {
    await rest.succeed('POST', `${storage}/:delete-pool`, { json: { name: 'data' } });
    expect(await pool('data')).toBeUndefined();
    expect((await drives()).filter(({ member_pool }) => member_pool === 'data')).toEqual([]);
    const gone = await rest.envelope('POST', `${storage}/:delete-pool`, { json: { name: 'data' } });
    expect([gone.http, gone.error]).toEqual([
      expect.any(Number),
      "cannot destroy zpool 'data': no such pool",
    ]);
    const local = await rest.envelope('POST', `${storage}/:delete-pool`, { json: { name: 'local' } });
    expect(local.error).toBe("cannot destroy special zpool 'local'");
    for (const id of [disk1, disk2, disk3]) await machine.hardware('drive', 'remove', id);
  });
});
