import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { drivePath, eventually, scrub_schedule, StorageAppliance } from './testing/storage-appliance.ts';

const systemDisk = '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root';
const localData = '/dev/disk/by-partlabel/local-data';

describe('storage', () => {
  let appliance: StorageAppliance;
  afterEach(() => appliance.remove());

  const mirror = { name: 'tank', type: 'zfs-raid1', devices: [drivePath('one'), drivePath('two')] };

  it('of a new machine has its system disk, and pool local on it', async () => {
    appliance = await StorageAppliance.started();
    const { storage } = await appliance.client.getStorage({});
    expect(storage?.state?.drives).toMatchObject([
      {
        id: systemDisk,
        boot: true,
        bus: 'scsi',
        capacity_in_bytes: 50n * 1024n ** 3n,
        member_pool: 'local',
        model_name: 'QEMU HARDDISK',
        smart: undefined,
      },
    ]);
    expect(storage?.state?.pools).toMatchObject([
      {
        name: 'local',
        type: 'zfs-raid0',
        devices: [localData],
        state: 'ONLINE',
        managed: true,
        encryption_key_status: 'available',
        volumes: [],
      },
    ]);
    expect(storage?.config).toMatchObject({ scrub_schedule, pools: storage?.state?.pools });
    expect(storage?.state?.root_partition?.size_in_bytes).toBeGreaterThan(0n);
    const key = await appliance.machine.files.stat('/var/lib/incus-os/storage/zpool.local.key');
    expect(key).toMatchObject({ size: 32, mode: 0o600 });
  });

  it('is a mirror over two drives once it was asked for, and free drives once it was deleted', async () => {
    appliance = await StorageAppliance.started('one', 'two');
    await appliance.set(mirror);
    const pool = await appliance.pool('tank');
    expect(pool).toMatchObject({
      ...mirror,
      state: 'ONLINE',
      managed: true,
      encryption_key_status: 'available',
      devices_degraded: [],
    });
    expect(pool?.raw_pool_size_in_bytes).toBeGreaterThan(9n * 1024n ** 3n);
    expect(pool?.usable_pool_size_in_bytes).toBeLessThan(10n * 1024n ** 3n);
    expect((await appliance.drive('one'))?.member_pool).toBe('tank');
    const { pools: keys } = await appliance.client.listRecoveryKeys({});
    expect(Buffer.from(keys['tank'] ?? '', 'base64')).toHaveLength(32);

    await appliance.client.deletePool({ name: 'tank' });
    expect(await appliance.pool('tank')).toBeUndefined();
    expect((await appliance.drive('one'))?.member_pool).toBeUndefined();
    expect(await appliance.files()).not.toContain('zpool.tank.key');
    await appliance.set({ name: 'next', type: 'zfs-raid0', devices: [drivePath('one')] });
  });

  it('names the drive that failed, and is whole again with another in its place', async () => {
    appliance = await StorageAppliance.started('one', 'two', 'three');
    await appliance.set(mirror);
    await appliance.command('drive fail', ['two']);
    await eventually(async () => (await appliance.pool('tank'))?.state === 'DEGRADED');
    expect(await appliance.pool('tank')).toMatchObject({
      devices: [drivePath('one')],
      devices_degraded: [drivePath('two')],
    });
    expect((await appliance.drive('two'))?.smart).toMatchObject({ enabled: true, passed: false });

    await appliance.set({ ...mirror, devices: [drivePath('one'), drivePath('three')] });
    await eventually(async () => (await appliance.pool('tank'))?.state === 'ONLINE');
    expect(await appliance.pool('tank')).toMatchObject({
      devices: [drivePath('one'), drivePath('three')],
      devices_degraded: [],
    });
  });

  it('shows a drive that was pulled out as missing, and takes it back', async () => {
    appliance = await StorageAppliance.started('one', 'two');
    await appliance.set(mirror);
    await appliance.command('drive remove', ['two']);
    await eventually(async () => (await appliance.drive('two')) === undefined);
    expect(await appliance.pool('tank')).toMatchObject({
      state: 'DEGRADED',
      devices_degraded: [drivePath('two')],
    });
    await appliance.powerCycle();
    await appliance.start();
    expect(await appliance.pool('tank')).toMatchObject({
      state: 'DEGRADED',
      devices_degraded: [drivePath('two')],
      encryption_key_status: 'available',
    });
    await appliance.command('drive add', ['two']);
    await appliance.set(mirror);
    await eventually(async () => (await appliance.pool('tank'))?.state === 'ONLINE');
  });

  it('wipes a drive that was replaced once the copy is complete', async () => {
    appliance = await StorageAppliance.started('one', 'two', 'three');
    await appliance.set(mirror);
    await appliance.set({ ...mirror, devices: [drivePath('one'), drivePath('three')] });
    await eventually(
      async () =>
        !JSON.stringify(
          appliance.machine.read().storage.drives.find(({ serial }) => serial === 'two')?.partitions,
        ).includes('zfs'),
    );
    expect(await appliance.pool('tank')).toMatchObject({
      state: 'ONLINE',
      devices: [drivePath('one'), drivePath('three')],
    });
    await eventually(async () => (await appliance.drive('two'))?.member_pool === undefined);
  });

  it.each([
    ['zfs-raid0', 1, 1n, 1],
    ['zfs-raid1', 3, 1n, 3],
    ['zfs-raid10', 6, 3n, 6],
    ['zfs-raidz1', 3, 2n, 3],
    ['zfs-raidz2', 4, 2n, 4],
    ['zfs-raidz3', 5, 2n, 5],
  ])('can be %s', async (type, count, usable, members) => {
    const names = Array.from({ length: count }, (_, index) => `d${index}`);
    appliance = await StorageAppliance.started(...names);
    await appliance.set({ name: 'tank', type, devices: names.map(drivePath) });
    const pool = await appliance.pool('tank');
    expect(pool).toMatchObject({ type, state: 'ONLINE' });
    expect(pool?.devices).toHaveLength(members);
    expect((pool?.usable_pool_size_in_bytes ?? 0n) / (9n * 1024n ** 3n)).toBe(usable);
  });

  it('has cache, log and special devices', async () => {
    appliance = await StorageAppliance.started('a', 'b', 'c', 'd', 'e', 'f', 'g');
    const pool = {
      name: 'fast',
      type: 'zfs-raid1',
      devices: [drivePath('a'), drivePath('b')],
      cache: [drivePath('c')],
      log: [drivePath('d'), drivePath('e')],
      special: {
        type: 'zfs-raid1',
        special_small_blocks_size_in_kb: 16,
        devices: [drivePath('f'), drivePath('g')],
      },
    };
    await appliance.set(pool);
    expect(await appliance.pool('fast')).toMatchObject({ ...pool, state: 'ONLINE' });
    // What was read can be written back, and changes nothing.
    await appliance.set(...(await appliance.pools()));
    expect(await appliance.pool('fast')).toMatchObject({ ...pool, state: 'ONLINE' });
    await appliance.set({ ...pool, cache: [''] });
    await eventually(async () => (await appliance.pool('fast'))?.cache.length === 0);
  });

  it('has volumes with quota and use', async () => {
    appliance = await StorageAppliance.started();
    await appliance.client.createVolume({ pool: 'local', name: 'incus', quota: 0n, use: 'incus' });
    await appliance.client.createVolume({ pool: 'local', name: 'sat', quota: 1024n ** 3n, use: 'linstor' });
    await appliance.client.createVolume({ pool: 'local', name: 'wide', quota: 2n ** 63n - 1n, use: 'incus' });
    expect((await appliance.pool('local'))?.volumes).toMatchObject([
      { name: 'incus', quota_in_bytes: 0n, use: 'incus' },
      { name: 'sat', quota_in_bytes: 1024n ** 3n, use: 'linstor' },
      { name: 'wide', quota_in_bytes: 2n ** 63n - 1n, use: 'incus' },
    ]);
    await expect(
      appliance.client.createVolume({ pool: 'local', name: 'sat', quota: 0n, use: 'incus' }),
    ).rejects.toMatchObject({ reason: 'CONFLICT' });
    await appliance.machine.change(({ storage }) => {
      storage.pools[0]?.datasets.push({
        name: 'local/sat/child',
        type: 'FILESYSTEM',
        created: 0,
        properties: {},
        used: 0,
      });
    });
    await expect(
      appliance.client.deleteVolume({ pool: 'local', name: 'sat', force: false }),
    ).rejects.toMatchObject({ reason: 'PRECONDITION_FAILED' });
    await appliance.client.deleteVolume({ pool: 'local', name: 'sat', force: true });
    expect((await appliance.pool('local'))?.volumes).toHaveLength(2);
  });

  it('is scrubbed and trimmed, one at a time', async () => {
    appliance = await StorageAppliance.started();
    for (const [start, what] of [
      [appliance.client.scrubPool, 'scrub'],
      [appliance.client.trimPool, 'trim'],
    ] as const) {
      await start({ name: 'local' });
      await expect(start({ name: 'local' })).rejects.toMatchObject({
        reason: 'CONFLICT',
        message: `${what} already in progress`,
      });
      await expect(start({ name: 'none' })).rejects.toMatchObject({
        reason: 'NOT_FOUND',
        message: "zpool 'none' doesn't exist",
      });
    }
    expect((await appliance.pool('local'))?.last_scrub).toMatchObject({ state: 'IN_PROGRESS', errors: 0 });
    await eventually(async () => (await appliance.pool('local'))?.last_scrub?.state === 'FINISHED');
    await eventually(async () => (await appliance.pool('local'))?.last_trim?.state === 'FINISHED');
    expect(await appliance.pool('local')).toMatchObject({
      last_scrub: { progress: '100.00%' },
      last_trim: { progress: '100.00%', errors: 0 },
    });
  });

  it('is imported after a power cut, and only if it is ours', async () => {
    appliance = await StorageAppliance.started('one', 'two');
    await appliance.set(mirror);
    await appliance.powerCycle();
    await appliance.machine.files.rename('/var/lib/incus-os/storage/zpool.tank.key', '/tmp.key');
    await appliance.start();
    expect((await appliance.pools()).map(({ name }) => name)).toEqual(['local']);
    const key = (await appliance.machine.files.readBytes('/tmp.key')).toString('base64');
    const request = { name: 'tank', type: 'zfs', force: false };
    await expect(appliance.client.importPool({ ...request, encryption_key: 'AAAA' })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: "expected a 32 byte raw encryption key for pool 'tank', got 3 bytes",
    });
    await expect(
      appliance.client.importPool({ ...request, encryption_key: Buffer.alloc(32).toString('base64') }),
    ).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
    expect((await appliance.pools()).map(({ name }) => name)).toEqual(['local']);
    await appliance.client.importPool({ ...request, encryption_key: key });
    expect(await appliance.pool('tank')).toMatchObject({
      managed: true,
      state: 'ONLINE',
      encryption_key_status: 'available',
    });
  });

  it('changes from raid0 to raid1, local onto a partition of the new drive', async () => {
    appliance = await StorageAppliance.create();
    await appliance.addDrive('big', '60GiB');
    await appliance.start();
    await appliance.set({ name: 'local', type: 'zfs-raid1', devices: [localData, drivePath('big')] });
    expect(await appliance.pool('local')).toMatchObject({
      type: 'zfs-raid1',
      devices: [`${drivePath('big')}-part11`, localData],
    });
    expect((await appliance.drive('big'))?.member_pool).toBe('local');
    await appliance.set(...(await appliance.pools()));
    expect(await appliance.pool('local')).toMatchObject({ state: 'ONLINE', type: 'zfs-raid1' });
  });

  it('wipes a free drive, and no other', async () => {
    appliance = await StorageAppliance.started('one', 'two', 'three');
    await appliance.set(mirror);
    const wipe = (id: string): Promise<unknown> => appliance.client.wipeDrive({ id, secure_wipe: true });
    await wipe(drivePath('three'));
    await expect(wipe('')).rejects.toMatchObject({ message: 'no drive specified' });
    await expect(wipe('/dev/sdx')).rejects.toMatchObject({
      reason: 'NOT_FOUND',
      message: "drive '/dev/sdx' doesn't exist",
    });
    await expect(wipe(systemDisk)).rejects.toMatchObject({ message: 'cannot wipe boot drive' });
    await expect(wipe(drivePath('one'))).rejects.toMatchObject({
      message: "cannot wipe drive belonging to pool 'tank'",
    });
    expect(await appliance.pool('tank')).toMatchObject({ state: 'ONLINE' });
  });

  it('encrypts a drive, which a pool can be on, and opens it after a power cut', async () => {
    appliance = await StorageAppliance.started('one', 'two');
    const id = drivePath('one');
    const mapping = '/dev/mapper/luks-scsi-0QEMU_QEMU_HARDDISK_one';
    await appliance.client.encryptDrive({ id, secure_wipe: false });
    expect(await appliance.drive('one')).toMatchObject({ encrypted: true, encrypted_id: mapping });
    const { drives: keys } = await appliance.client.listRecoveryKeys({});
    expect(Buffer.from(keys[id] ?? '', 'base64')).toHaveLength(32);
    await expect(appliance.set({ name: 'vault', type: 'zfs-raid0', devices: [id] })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: `device '${id}' is encrypted, what it holds is '${mapping}'`,
    });
    await appliance.set({ name: 'vault', type: 'zfs-raid0', devices: [mapping] });
    expect((await appliance.drive('one'))?.member_pool).toBe('vault');
    await appliance.powerCycle();
    await appliance.start();
    expect(await appliance.pool('vault')).toMatchObject({ state: 'ONLINE', devices: [mapping] });
    await appliance.client.deletePool({ name: 'vault' });
    await appliance.client.wipeDrive({ id, secure_wipe: false });
    expect((await appliance.drive('one'))?.encrypted).toBeUndefined();
    expect(await appliance.files()).not.toContain('luks.scsi-0QEMU_QEMU_HARDDISK_one.key');
  });

  it('imports an encrypted drive with its key, and with no other', async () => {
    appliance = await StorageAppliance.started('one');
    const id = drivePath('one');
    await appliance.client.encryptDrive({ id, secure_wipe: false });
    const key = (await appliance.client.listRecoveryKeys({})).drives[id] ?? '';
    await appliance.powerCycle();
    await appliance.machine.files.remove('/var/lib/incus-os/storage/luks.scsi-0QEMU_QEMU_HARDDISK_one.key');
    await appliance.start();
    const bring = (change: object): Promise<unknown> =>
      appliance.client.importEncryptedDrive({ id, key, ...change });
    await expect(bring({ id: '/dev/sdb' })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'invalid disk id',
    });
    await expect(bring({ key: 'AAAA' })).rejects.toMatchObject({
      message: 'expected a 32 byte raw encryption key, got 3 bytes',
    });
    await expect(bring({ key: Buffer.alloc(32).toString('base64') })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    expect((await appliance.drive('one'))?.encrypted).toBeUndefined();
    await bring({});
    expect((await appliance.drive('one'))?.encrypted).toBe(true);
    await expect(appliance.client.encryptDrive({ id: systemDisk, secure_wipe: false })).rejects.toMatchObject(
      { message: 'cannot wipe boot drive' },
    );
  });

  it('notices a drive that is plugged in', async () => {
    appliance = await StorageAppliance.started();
    await appliance.client.getStorage({});
    await appliance.addDrive('late', '20GiB', 'nvme');
    await eventually(
      async () => (await appliance.drive('/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_late')) !== undefined,
    );
    const drive = await appliance.drive('/dev/disk/by-id/nvme-QEMU_NVMe_Ctrl_late');
    expect(drive).toMatchObject({
      bus: 'nvme',
      capacity_in_bytes: 20n * 1024n ** 3n,
      remote: false,
      smart: { passed: true, available_spare: 100 },
    });
  });

  it('answers from memory as long as nothing changed', async () => {
    appliance = await StorageAppliance.create();
    const { programs } = appliance.host;
    let runs = 0;
    appliance.host = {
      ...appliance.host,
      programs: {
        run: (argv, options) => {
          runs += 1;
          return programs.run(argv, options);
        },
        stream: (argv, options) => programs.stream(argv, options),
      },
    };
    await appliance.start();
    await eventually(async () => {
      const before = runs;
      await appliance.client.getStorage({});
      await sleep(200);
      return runs === before;
    });
    const before = runs;
    for (let index = 0; index < 20; index += 1) await appliance.client.getStorage({});
    expect(runs).toBe(before);
  });
});
