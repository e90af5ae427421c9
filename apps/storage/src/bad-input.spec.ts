import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SystemStorageConfig } from '@incusos/contracts/storage';
import { drivePath, scrub_schedule, StorageAppliance } from './testing/storage-appliance.ts';

const localData = '/dev/disk/by-partlabel/local-data';
const systemDisk = '/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_incus_root';
const [a, b, c, d, e] = ['a', 'b', 'c', 'd', 'e'].map(drivePath) as [string, string, string, string, string];

describe('a bad request to storage', () => {
  let appliance: StorageAppliance;
  beforeAll(async () => {
    appliance = await StorageAppliance.create('a', 'b', 'c', 'd', 'e');
    await appliance.addDrive('small', '2GiB');
    await appliance.addDrive('foreign');
    await appliance.machine.change(({ storage }) => {
      const foreign = storage.drives.find(({ serial }) => serial === 'foreign');
      if (foreign !== undefined) foreign.signature = 'ext4';
    });
    await appliance.start();
    await appliance.set({ name: 'tank', type: 'zfs-raid1', devices: [a, b] });
  });
  afterAll(() => appliance.remove());

  /** Everything that a change could leave a trace in. */
  const traces = async (): Promise<unknown> => [
    appliance.machine.read().storage,
    await appliance.files(),
    (await appliance.client.getStorage({})).storage?.config,
  ];

  const refused = async (
    request: () => Promise<unknown>,
    message: string,
    rest: object = {},
  ): Promise<void> => {
    const before = await traces();
    await expect(request()).rejects.toMatchObject({ reason: 'INVALID_REQUEST', message, ...rest });
    expect(await traces()).toEqual(before);
  };

  it.each([
    ['', 'must be given'],
    ['* * * *', 'must have five fields: minute, hour, day of month, month, day of week'],
    ['* * * * * *', 'must have five fields: minute, hour, day of month, month, day of week'],
    ['99 * * * *', undefined],
    ['sometimes at five to four', undefined],
  ])('is a scrub schedule of "%s"', async (schedule, reason) => {
    const fields = [{ field: 'config.scrub_schedule', reason: reason ?? (expect.any(String) as string) }];
    const config = SystemStorageConfig.fromPartial({
      scrub_schedule: schedule,
      pools: [{ name: 'new', type: 'zfs-raid0', devices: [c] }],
    });
    await refused(
      () => appliance.client.setConfig({ config }),
      'invalid cron expression provided for scrub schedule',
      { fields },
    );
  });

  it('is a trim schedule that makes no sense', async () => {
    const config = SystemStorageConfig.fromPartial({ scrub_schedule: '1 1 * * *', trim_schedule: 'x' });
    await refused(
      () => appliance.client.setConfig({ config }),
      'invalid cron expression provided for trim schedule',
    );
  });

  it.each([
    [{ name: '', type: 'zfs-raid0', devices: [c] }, 'a name for the zpool must be provided'],
    [
      { name: 'x/y', type: 'zfs-raid0', devices: [c] },
      "zpool can't be called 'x/y': it must not contain '/'",
    ],
    [
      { name: '../x', type: 'zfs-raid0', devices: [c] },
      "zpool can't be called '../x': it must begin with a letter",
    ],
    [{ name: 'mirror', type: 'zfs-raid0', devices: [c] }, "zpool can't be called 'mirror': ZFS reserves it"],
    [{ name: 'new', type: 'ext4', devices: [c] }, 'unsupported pool type ext4'],
    [{ name: 'new', type: 'zfs-raid0', devices: [] }, 'at least one device must be specified'],
    [
      { name: 'new', type: 'zfs-raid1', devices: [c] },
      'at least two devices must be specified when creating a raid1 pool',
    ],
    [
      { name: 'new', type: 'zfs-raid10', devices: [c, d] },
      'at least four devices must be specified when creating a raid10 pool',
    ],
    [
      { name: 'new', type: 'zfs-raid10', devices: [c, d, e, a, b] },
      'an even number of devices must be specified when creating a raid10 pool',
    ],
    [
      { name: 'new', type: 'zfs-raidz2', devices: [c, d] },
      "unable to create zpool 'new': invalid vdev specification: raidz2 requires at least 3 devices",
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [c], special: { type: 'x', devices: [d] } },
      'unsupported special device type x',
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [c], special: { type: 'zfs-raid1', devices: [d] } },
      'at least two devices must be specified when creating a raid1 special vdev',
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [c], alignment: 5000 },
      'alignment of 5000 bytes must be a power of two from 512 to 65536',
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [systemDisk] },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: ['/dev/sda'] },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [`${systemDisk}-part11`] },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [localData] },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
    [
      {
        name: 'new',
        type: 'zfs-raid0',
        devices: [c],
        log: ['/dev/disk/by-path/pci-0000:00:04.0-scsi-0:0:0:0'],
      },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
    [{ name: 'new', type: 'zfs-raid0', devices: [a] }, `device '${a}' already belongs to zpool 'tank'`],
    [
      { name: 'new', type: 'zfs-raid0', devices: ['/dev/sdb'] },
      `device '${a}' already belongs to zpool 'tank'`,
    ],
    [{ name: 'new', type: 'zfs-raid0', devices: ['/dev/sdq'] }, 'unable to determine device ID for /dev/sdq'],
    [
      { name: 'new', type: 'zfs-raid0', devices: ['/dev/disk/by-id/none'] },
      "device '/dev/disk/by-id/none' doesn't exist",
    ],
    [{ name: 'new', type: 'zfs-raid0', devices: [c, '/dev/sdd'] }, `device '${c}' is given twice`],
    [
      { name: 'new', type: 'zfs-raid1', devices: [c, drivePath('small')] },
      'refusing to create new zpool with devices of different sizes unless AllowMixedDevSizes is true',
    ],
    [
      { name: 'new', type: 'zfs-raid0', devices: [drivePath('foreign')], allow_mixed_dev_sizes: true },
      `unable to create zpool 'new': invalid vdev specification: ${drivePath('foreign')} contains a filesystem of type 'ext4'`,
    ],
    [
      { name: 'local', type: 'zfs-raidz1', devices: [localData] },
      "special zpool 'local' type must be either zfs-raid0 or zfs-raid1",
    ],
    [
      { name: 'local', type: 'zfs-raid1', devices: [localData, c, d] },
      "special zpool 'local' cannot consist of more than two devices",
    ],
    [
      { name: 'local', type: 'zfs-raid0', devices: [localData], log: [c] },
      "special zpool 'local' cannot have any log devices",
    ],
    [
      { name: 'local', type: 'zfs-raid0', devices: [localData], cache: [c] },
      "special zpool 'local' cannot have any cache devices",
    ],
    [
      { name: 'local', type: 'zfs-raid0', devices: [c] },
      `special zpool 'local' must always include main system partition '${systemDisk}-part11'`,
    ],
    [
      { name: 'tank', type: 'zfs-raid1', devices: [a] },
      'only 1 devices provided in update, expected at least 2',
    ],
    [
      { name: 'tank', type: 'zfs-raid1', devices: [a, b, c, d] },
      'expanding a pool can only be performed one device at a time, due to a required resilver between expansions',
    ],
    [
      { name: 'tank', type: 'zfs-raidz1', devices: [a, b] },
      "the type of zpool 'tank' can't be changed from zfs-raid1 to zfs-raidz1",
    ],
    [
      { name: 'tank', type: 'zfs-raid1', devices: [a, b], special: { type: 'zfs-raid0', devices: [c] } },
      "zpool 'tank' doesn't have any special devices, and they can only be given when it is created",
    ],
    [{ name: 'tank', type: 'zfs-raid1', devices: [a, b], log: [a] }, `device '${a}' is given twice`],
    [
      { name: 'tank', type: 'zfs-raid1', devices: [a, systemDisk] },
      "list of devices includes the system root drive /dev/sda, which can't be used in other zpools",
    ],
  ])('is pool %o', async (pool, message) => {
    await refused(() => appliance.set(pool), message);
  });

  it('leaves the pools before it as they were, too', async () => {
    const good = { name: 'good', type: 'zfs-raid0', devices: [c] };
    await refused(
      () => appliance.set(good, { name: 'bad', type: 'zfs-raid1', devices: [d] }),
      'at least two devices must be specified when creating a raid1 pool',
    );
    await refused(
      () => appliance.set(good, { name: 'other', type: 'zfs-raid0', devices: [c] }),
      `device '${c}' is given for zpool 'good' and for zpool 'other'`,
    );
    await refused(() => appliance.set(good, good), "zpool 'good' is given twice", {
      fields: [{ field: 'config.pools[1].name', reason: 'is given twice' }],
    });
  });

  it.each([
    [{ pool: '', name: 'v', use: 'incus' }, 'no pool name provided'],
    [{ pool: 'a/b', name: 'v', use: 'incus' }, 'invalid pool name provided'],
    [{ pool: 'tank', name: '', use: 'incus' }, 'no volume name provided'],
    [{ pool: 'tank', name: 'a/b', use: 'incus' }, 'invalid volume name provided'],
    [{ pool: 'tank', name: 'a@b', use: 'incus' }, 'invalid volume name provided'],
    [{ pool: 'tank', name: '-r', use: 'incus' }, 'invalid volume name provided'],
    [{ pool: 'tank', name: 'v', use: '' }, 'no volume use provided'],
    [{ pool: 'tank', name: 'v', use: 'other' }, 'invalid volume use provided'],
    [{ pool: 'tank', name: 'v', use: 'incus', quota: -1n }, 'invalid volume quota provided'],
  ])('is volume %o', async (request, message) => {
    await refused(() => appliance.client.createVolume({ quota: 0n, ...request }), message);
  });

  it('is the deletion of a pool that must stay, or that is not there', async () => {
    await refused(() => appliance.client.deletePool({ name: '' }), 'no pool name provided');
    await refused(
      () => appliance.client.deletePool({ name: 'local' }),
      "cannot destroy special zpool 'local'",
    );
    const nothing = appliance.client.deletePool({ name: '../../etc/passwd' });
    await expect(nothing).rejects.toMatchObject({
      reason: 'NOT_FOUND',
      message: "cannot destroy zpool '../../etc/passwd': no such pool",
    });
  });

  it('is an import that says too little', async () => {
    const request = { name: 'old', type: 'zfs', encryption_key: '', force: false };
    await refused(() => appliance.client.importPool({ ...request, name: '' }), 'missing pool name and type');
    await refused(
      () => appliance.client.importPool({ ...request, type: 'lvm' }),
      "unsupported pool type 'lvm'",
    );
    await expect(appliance.client.importPool(request)).rejects.toMatchObject({
      reason: 'NOT_FOUND',
      message: "cannot import 'old': no such pool available",
    });
    await expect(appliance.client.importPool({ ...request, name: 'tank' })).rejects.toMatchObject({
      reason: 'CONFLICT',
      message: "zpool 'tank' already exists",
    });
  });

  it('is answered before a good one changes anything', async () => {
    expect((await appliance.client.getStorage({})).storage?.config?.scrub_schedule).toBe(scrub_schedule);
    await appliance.set({
      name: 'mixed',
      type: 'zfs-raid1',
      devices: [c, drivePath('small')],
      allow_mixed_dev_sizes: true,
    });
    expect(await appliance.pool('mixed')).toMatchObject({
      state: 'ONLINE',
      devices: [c, drivePath('small')],
    });
  });
});
