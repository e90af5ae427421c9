import { AddonHostService } from '@incusos/contracts/addons';
import { StateOwnerService } from '@incusos/contracts/state';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually, StorageAppliance } from './testing/storage-appliance.ts';

describe('the storage service', () => {
  let appliance: StorageAppliance;
  beforeEach(async () => {
    appliance = await StorageAppliance.started();
  });
  afterEach(() => appliance.remove());

  it('makes room on the root partition: one journal file, no caches', async () => {
    const { files } = appliance.machine;
    await files.append('/var/cache/apt/pkgcache.bin', 'x');
    await files.append('/var/cache/fontconfig', 'x');
    await appliance.client.cleanupRoot({});
    expect(await files.list('/var/cache')).toEqual([]);
  });

  it('shows the space of the root partition, and makes room by itself when hardly any is left', async () => {
    const usage = (await appliance.client.getStorage({})).storage?.state?.root_partition;
    expect(usage?.size_in_bytes).toBeLessThan(25n * 1024n ** 3n);
    expect(usage?.available_in_bytes).toBeGreaterThan(20n * 1024n ** 3n);
    await appliance.stop();
    await appliance.machine.files.append('/var/cache/pkgcache.bin', 'x');
    await appliance.machine.change(({ storage }) => {
      storage.root_used_bytes = 23 * 1024 ** 3;
    });
    await appliance.start();
    expect(
      (await appliance.client.getStorage({})).storage?.state?.root_partition?.available_in_bytes,
    ).toBeLessThan(1024n ** 3n);
    await eventually(async () => (await appliance.machine.files.list('/var/cache')).length === 0);
  });

  it('asks the SCSI hosts to look for drives', async () => {
    await appliance.client.rescanScsi({});
    expect(await appliance.machine.files.readText('/sys/class/scsi_host/host0/scan')).toBe('- - -');
  });

  it('owns the add-ons of storage, which can be read', async () => {
    await appliance.addDrive('fast', '10GiB', 'nvme');
    const addons = appliance.connection.use(AddonHostService);
    const { names } = await addons.listAddons({});
    expect(names).toEqual(['iscsi', 'lvm', 'multipath', 'nvme']);
    for (const name of names) expect((await addons.getAddon({ name })).addon?.$case).toBe(name);
    expect((await addons.getAddon({ name: 'nvme' })).addon?.value).toMatchObject({
      config: { enabled: false, targets: [] },
      state: {
        subsystems: [
          {
            name: 'nvme-subsys0',
            nqn: 'nqn.2019-08.org.qemu:fast',
            controllers: [{ name: 'nvme0', transport: 'pcie', state: 'live', namespaces: ['nvme0n1'] }],
          },
        ],
      },
    });
    await expect(addons.getAddon({ name: 'ceph' })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    await expect(addons.resetAddon({ name: 'nvme' })).rejects.toMatchObject({
      reason: 'PRECONDITION_FAILED',
      message: "NVME isn't currently enabled",
    });
    await expect(addons.resetAddon({ name: 'iscsi' })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: "reset isn't supported by this service",
    });
    await expect(addons.resetAddon({ name: 'ceph' })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
  });

  it('gives a pool the key of a restored backup, so that it opens at the next start', async () => {
    const owner = appliance.connection.use(StateOwnerService);
    const files: { name: string; mode: number; content: Buffer; last: boolean }[] = [];
    for await (const { file } of owner.exportState({})) if (file !== undefined) files.push(file);
    expect(files.map(({ name }) => name)).toEqual(expect.arrayContaining(['state.json', 'zpool.local.key']));
    const { schema_version } = await owner.describeState({});
    const other = Buffer.alloc(32, 5);
    const restore = async (restore_id: string, skip: string[]): Promise<void> => {
      const messages = files.map((file) => ({
        restore_id,
        skip,
        schema_version,
        file: file.name === 'zpool.local.key' ? { ...file, content: other } : file,
      }));
      await owner.stageImport(
        (async function* stream() {
          yield* messages;
        })(),
      );
      await owner.commitImport({ restore_id });
    };
    const key = async (): Promise<string | undefined> =>
      (await appliance.client.listRecoveryKeys({})).pools['local'];
    const before = await key();
    await restore('skipping', ['local-data-encryption-key']);
    expect(await key()).toBe(before);
    await restore('whole', []);
    expect(await key()).toBe(other.toString('base64'));
    await appliance.powerCycle();
    await appliance.start();
    expect(await appliance.pool('local')).toMatchObject({
      state: 'ONLINE',
      encryption_key_status: 'available',
    });
  });

  it.each(['zpool.-a.key', 'zpool.tank @.key', 'luks.a b.key', 'other.key'])(
    'takes no key from a backup whose name is none of a pool or drive: %s',
    async (name) => {
      const owner = appliance.connection.use(StateOwnerService);
      const { schema_version } = await owner.describeState({});
      const content = Buffer.alloc(32, 5);
      const messages = async function* () {
        for await (const { file } of owner.exportState({})) {
          if (file?.name === 'state.json') yield { restore_id: 'odd', skip: [], schema_version, file };
        }
        const file = { name, mode: 0o600, content, last: true };
        yield { restore_id: 'odd', skip: [], schema_version, file };
      };
      await expect(owner.stageImport(messages())).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        message: `'storage/${name}' is not a file of the storage state`,
      });
    },
  );

  it('says which program failed when the machine can not be asked', async () => {
    await appliance.stop();
    const { programs } = appliance.host;
    appliance.host = {
      ...appliance.host,
      programs: {
        run: (argv, options) =>
          programs.run(
            argv[0] === 'zpool' && argv[1] === 'status' ? ['zpool', 'status', '-Z'] : argv,
            options,
          ),
        stream: (argv, options) => programs.stream(argv, options),
      },
    };
    await appliance.start();
    await expect(appliance.client.getStorage({})).rejects.toMatchObject({
      reason: 'OPERATION_FAILED',
      message: expect.stringMatching(
        /^the storage could not be asked or changed: zpool: invalid option 'Z'/u,
      ),
    });
  });
});
