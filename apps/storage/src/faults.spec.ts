import { PassThrough } from 'node:stream';
import { type Host, ProgramError, type ProgramStream } from '@incusos/host';
import { openEmulatedHost } from '@incusos/host-emulated';
import { afterEach, describe, expect, it } from 'vitest';
import { drivePath, eventually, StorageAppliance } from './testing/storage-appliance.ts';

/** A host on which nothing happens any more after a number of changes: what a killed service leaves behind. */
function dyingHost(
  host: Host,
  changes: number,
): { host: Host; dead: () => boolean; begin: () => void; kill: () => void } {
  let left = Number.POSITIVE_INFINITY;
  const streams: ProgramStream[] = [];
  const never = new Promise<never>(() => undefined);
  const alive = <R>(change: boolean, work: () => Promise<R>): Promise<R> => {
    if (change) left -= 1;
    return left < 0 ? never : work();
  };
  const { files, programs } = host;
  const reads = ['lsblk', 'smartctl', 'udevadm'];
  const isRead = (argv: readonly string[]): boolean =>
    reads.includes(argv[0] ?? '') || ['status', 'list', 'get'].includes(argv[1] ?? '');
  const watched = new Proxy(files, {
    get(target, name) {
      if (name === 'writeAtomic')
        return (path: string, data: string, options: object) =>
          alive(true, () => target.writeAtomic(path, data, options));
      if (name === 'remove') return (path: string) => alive(true, () => target.remove(path));
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
  return {
    host: {
      files: watched,
      programs: {
        run: (argv, options) => alive(!isRead(argv), () => programs.run(argv, options)),
        stream: (argv, options) => {
          const stream =
            left < 0
              ? { stdout: new PassThrough(), finished: never, stop: () => undefined }
              : programs.stream(argv, options);
          streams.push(stream);
          return stream;
        },
      },
    },
    kill: () => {
      left = -1;
      for (const stream of streams) stream.stop();
    },
    dead: () => left < 0,
    begin: () => {
      left = changes;
    },
  };
}

describe('storage that is killed', () => {
  const appliances: StorageAppliance[] = [];
  afterEach(async () => {
    for (const appliance of appliances.splice(0)) await appliance.remove();
  });

  const pool = { name: 'tank', type: 'zfs-raid1', devices: [drivePath('one'), drivePath('two')] };

  /** Kills the service before each of its changes in turn, and looks at what the next start makes of it. */
  const atEveryStep = async (
    prepare: (appliance: StorageAppliance) => Promise<void>,
    act: (appliance: StorageAppliance) => Promise<unknown>,
    check: (appliance: StorageAppliance) => Promise<void>,
  ): Promise<number> => {
    for (let changes = 0; ; changes += 1) {
      const appliance = await StorageAppliance.create('one', 'two', 'three');
      appliances.push(appliance);
      await appliance.start();
      await prepare(appliance);
      await appliance.stop();
      const dying = dyingHost(openEmulatedHost(appliance.machine), changes);
      appliance.host = dying.host;
      await appliance.start();
      dying.begin();
      const done = act(appliance).then(
        () => true,
        () => true,
      );
      const finished = await Promise.race([
        done,
        eventually(() => Promise.resolve(dying.dead())).then(() => false),
      ]);
      appliance.host = openEmulatedHost(appliance.machine);
      dying.kill();
      appliance.abandon();
      await appliance.start();
      await check(appliance);
      if (finished) return changes;
    }
  };

  it('during a creation has made the pool or not, and its key goes with it', async () => {
    const steps = await atEveryStep(
      () => Promise.resolve(),
      (appliance) => appliance.set(pool),
      async (appliance) => {
        const made = await appliance.pool('tank');
        expect((await appliance.files()).includes('zpool.tank.key')).toBe(made !== undefined);
        if (made === undefined) await appliance.set(pool);
        expect(await appliance.pool('tank')).toMatchObject({
          ...pool,
          state: 'ONLINE',
          managed: true,
          encryption_key_status: 'available',
        });
      },
    );
    expect(steps).toBeGreaterThanOrEqual(4);
  });

  it('during a creation keeps the key of a pool that can not be imported for now', async () => {
    const appliance = await StorageAppliance.started('one', 'two');
    appliances.push(appliance);
    await appliance.set(pool);
    await appliance.stop();
    const { files, programs } = appliance.host;
    await files.writeAtomic(
      '/var/lib/incus-os/storage/operations.json',
      JSON.stringify({ creations: [{ pool: pool.name, devices: pool.devices }], wipes: [] }),
    );
    await appliance.powerCycle();
    const refusal = "cannot import 'tank': I/O error";
    appliance.host = {
      files,
      programs: {
        stream: (argv, options) => programs.stream(argv, options),
        run: async (argv, options) => {
          if (argv[1] === 'import' && argv.includes('tank'))
            throw new ProgramError('failed', 'zpool', refusal, 1, refusal);
          return programs.run(argv, options);
        },
      },
    };
    await appliance.start();
    expect(await appliance.pool('tank')).toBeUndefined();
    expect(await appliance.files()).toContain('zpool.tank.key');
    await appliance.stop();
    appliance.host = openEmulatedHost(appliance.machine);
    await appliance.start();
    expect(await appliance.pool('tank')).toMatchObject({ managed: true, encryption_key_status: 'available' });
  });

  it('during a replacement wipes the drive that left, and only that one', async () => {
    await atEveryStep(
      (appliance) => appliance.set(pool),
      (appliance) => appliance.set({ ...pool, devices: [drivePath('one'), drivePath('three')] }),
      async (appliance) => {
        const replaced = (await appliance.pool('tank'))?.devices.includes(drivePath('three'));
        await eventually(async () => (await appliance.pool('tank'))?.last_scrub?.state !== 'IN_PROGRESS');
        expect(await appliance.pool('tank')).toMatchObject({
          state: 'ONLINE',
          devices: [drivePath('one'), drivePath(replaced === true ? 'three' : 'two')],
        });
        if (replaced !== true) return;
        await eventually(() =>
          Promise.resolve(
            appliance.machine.read().storage.drives.find(({ serial }) => serial === 'two')?.partitions
              .length === 0,
          ),
        );
      },
    );
  });
});

describe('storage on a full disk', () => {
  let appliance: StorageAppliance;
  afterEach(() => appliance.remove());

  it('refuses a new schedule and a new pool, and keeps what it has', async () => {
    appliance = await StorageAppliance.started('one');
    await appliance.machine.change(({ faults }) => {
      faults.full_directories = ['/var/lib/incus-os'];
    });
    await expect(
      appliance.client.setConfig({ config: { scrub_schedule: '1 2 * * *', pools: [] } }),
    ).rejects.toMatchObject({ reason: 'NO_SPACE' });
    await expect(
      appliance.set({ name: 'tank', type: 'zfs-raid0', devices: [drivePath('one')] }),
    ).rejects.toMatchObject({ reason: 'NO_SPACE' });
    const { storage } = await appliance.client.getStorage({});
    expect(storage?.config?.scrub_schedule).toBe('0 4 * * 0');
    expect(storage?.state?.pools.map(({ name }) => name)).toEqual(['local']);
    expect(await appliance.files()).not.toContain('zpool.tank.key');
  });
});
