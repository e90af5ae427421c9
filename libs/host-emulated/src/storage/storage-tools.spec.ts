import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOff, switchOn } from '../power-switch.ts';
import { storage } from './area.ts';
import { addDrive, parseSize } from './commands.ts';
import { defaultStorage, GiB, localDataStart } from './section.ts';

const id = (name: string): string => `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${name}`;

describe('the emulated storage', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'zfs-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    await machine.change(({ storage: section }) => {
      for (const name of ['a', 'b', 'c', 'd']) addDrive(section, name, 'scsi', 10 * GiB);
      addDrive(section, 'small', 'scsi', 2 * GiB);
    });
    await storage.populate(machine);
    host = openEmulatedHost(machine);
  });
  afterEach(() => rm(directory, { recursive: true, force: true, maxRetries: 5 }));

  const run = async (line: string): Promise<string> => {
    const [program = '', ...args] = line.split(' ');
    return (await host.programs.run([program, ...args])).stdout;
  };
  const refusal = async (line: string): Promise<string> => {
    const [program = '', ...args] = line.split(' ');
    return host.programs.run([program, ...args]).then(
      () => 'it was done',
      (error: unknown) =>
        error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error),
    );
  };
  const poolJson = async (): Promise<Record<string, unknown>> => {
    const { pools } = JSON.parse(await run('zpool status -tjp --json-int')) as {
      pools: Record<string, Record<string, unknown>>;
    };
    return pools['tank'] ?? {};
  };

  it('has the partitions of an installed system, each under its label', async () => {
    const [disk] = defaultStorage().drives;
    expect(disk?.partitions.map(({ number }) => number)).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11]);
    expect(disk?.partitions[10]).toMatchObject({ label: 'local-data', start_sector: localDataStart });
    expect(disk?.partitions[9]).toMatchObject({ label: 'root', size_bytes: 25 * GiB });
    for (const label of ['esp', 'seed-data', 'root', 'swap', 'local-data'])
      expect(await host.files.exists(`/dev/disk/by-partlabel/${label}`)).toBe(true);
    expect(await host.files.realPath(id('incus_root'))).toBe('/dev/sda');
    expect(await host.files.realPath('/sys/class/block/sda')).toContain('/virtio1/');
  });

  it('makes a mirror, whose partitions and links appear, and takes it away again', async () => {
    await run(`zpool create tank mirror ${id('a')} ${id('b')}`);
    expect(await host.files.realPath(`${id('a')}-part1`)).toBe('/dev/sdb1');
    const pool = await poolJson();
    expect(pool).toMatchObject({ state: 'ONLINE', error_count: 0 });
    expect(JSON.stringify(pool)).toContain(`"path":"${id('a')}-part1"`);
    expect(await run('zpool list -H -o name,size,health')).toBe('tank\t9.98G\tONLINE\n');
    await run('zpool destroy tank');
    expect(await refusal('zpool destroy tank')).toBe("cannot open 'tank': no such pool");
  });

  it('refuses as ZFS does', async () => {
    expect(await refusal(`zpool create tank mirror ${id('a')}`)).toBe(
      'invalid vdev specification: mirror requires at least 2 devices',
    );
    expect(await refusal(`zpool create tank mirror ${id('a')} ${id('small')}`)).toBe(
      "invalid vdev specification\nuse '-f' to override the following errors:\nmirror contains devices of different sizes",
    );
    expect(await refusal(`zpool create tank ${id('a')} mirror ${id('b')} ${id('c')}`)).toContain(
      'mismatched replication level: both disk and mirror vdevs are present',
    );
    expect(await refusal(`zpool create tank ${id('none')}`)).toBe(`cannot resolve path '${id('none')}'`);
    expect(await refusal(`zpool create a/b ${id('a')}`)).toContain("invalid character '/' in pool name");
    expect(await refusal(`zpool create -x tank ${id('a')}`)).toContain("invalid option 'x'");
    expect(await refusal(`zpool create tank ${id('incus_root')}`)).toContain('is in use and contains');
    await run(`zpool create tank mirror ${id('a')} ${id('b')}`);
    expect(await refusal(`zpool create other ${id('a')}`)).toBe(
      `${id('a')} is in use and contains a unknown filesystem.`,
    );
    expect(await refusal(`zpool attach tank ${id('a')} ${id('small')}`)).toContain('device is too small');
    expect(await refusal(`zpool offline tank ${id('none')}`)).toContain('no such device in pool');
    expect(await refusal('zpool frobnicate')).toContain("unrecognized command 'frobnicate'");
    await run(`zpool offline tank ${id('a')}`);
    expect(await refusal(`zpool offline tank ${id('b')}`)).toContain('no valid replicas');
  });

  it('takes parity off what raidz can hold', async () => {
    await run(`zpool create tank raidz1 ${id('a')} ${id('b')} ${id('c')}`);
    const root = ((await poolJson())['vdevs'] as Record<string, { total_space: number; def_space: number }>)[
      'tank'
    ];
    expect((root?.def_space ?? 0) / (root?.total_space ?? 1)).toBeCloseTo(2 / 3, 5);
    await run(`zpool attach tank raidz1-0 ${id('d')}`);
    expect(JSON.stringify(await poolJson())).toContain('"function":"RESILVER","state":"SCANNING"');
  });

  it('resilvers a replacement for a while, and lets the old drive go then', async () => {
    await run(`zpool create tank mirror ${id('a')} ${id('b')}`);
    await run(`zpool replace tank ${id('b')} ${id('c')}`);
    expect(await run('zpool status tank')).toContain('replacing-1');
    await run('zpool wait tank');
    const text = await run('zpool status');
    expect(text).not.toContain('replacing-1');
    expect(text).toMatch(/scan: resilvered/u);
    expect(text).toMatch(/HARDDISK_c +ONLINE/u);
    await run(`zpool create other ${id('b')}`);
  });

  it('shows a failed drive as faulted, and a pulled one as removed, then as missing', async () => {
    await run(`zpool create tank mirror ${id('a')} ${id('b')}`);
    const change = (
      name: string,
      edit: (drive: { failed: boolean; attached: boolean }) => void,
    ): Promise<void> =>
      machine.change(({ storage: { drives } }) =>
        drives.filter(({ serial }) => serial === name).forEach(edit),
      );
    await change('a', (drive) => (drive.failed = true));
    expect(JSON.stringify(await poolJson())).toContain('"state":"FAULTED"');
    await change('a', (drive) => (drive.failed = false));
    await change('b', (drive) => (drive.attached = false));
    expect(await poolJson()).toMatchObject({ state: 'DEGRADED' });
    expect(JSON.stringify(await poolJson())).toContain('"state":"CANT_OPEN"');
    await run('zpool export tank');
    await run('zpool import tank');
    expect(JSON.stringify(await poolJson())).toContain(`"not_present":1,"was":"${id('b')}-part1"`);
    await change('a', (drive) => (drive.attached = false));
    expect(await poolJson()).toMatchObject({ state: 'SUSPENDED' });
  });

  it('encrypts with the key in a file, and opens with no other', async () => {
    await host.files.writeAtomic('/key', Buffer.alloc(32, 7));
    await host.files.writeAtomic('/short', Buffer.alloc(5));
    const create = (key: string): string =>
      `zpool create -O encryption=aes-256-gcm -O keyformat=raw -O keylocation=file://${key} tank ${id('a')}`;
    expect(await refusal(create('/short'))).toContain('Raw key too short (expected 32).');
    expect(await refusal(create('/none'))).toContain('Failed to open key material file');
    await run(create('/key'));
    await run('zpool export tank');
    await run('zpool import tank');
    expect(await run('zfs get -H -o value keystatus tank')).toBe('unavailable\n');
    expect(await refusal('zfs create tank/v')).toContain("encryption root's key is not loaded");
    await host.files.writeAtomic('/other', Buffer.alloc(32, 8));
    expect(await refusal('zfs load-key -L file:///other tank')).toContain('Incorrect key provided');
    await run('zfs load-key tank');
    await run('zfs create -o quota=1G -o incusos:use=incus tank/v');
    expect(JSON.parse(await run('zfs list -d 1 -p -o name,quota,incusos:use -j --json-int'))).toMatchObject({
      output_version: { command: 'zfs list' },
      datasets: {
        'tank/v': {
          type: 'FILESYSTEM',
          pool: 'tank',
          properties: { quota: { value: GiB, source: { type: 'LOCAL' } }, 'incusos:use': { value: 'incus' } },
        },
      },
    });
    expect(await refusal('zfs set quota=1K tank/v')).toContain(
      'size is less than current used or reserved space',
    );
  });

  it('says what changes, as it changes', async () => {
    const udev = host.programs.stream(['udevadm', 'monitor', '--udev', '--property']);
    const zed = host.programs.stream(['zpool', 'events', '-f', '-H']);
    let said = '';
    for (const { stdout } of [udev, zed]) stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    while (!said.includes('monitor will print')) await sleep(20);
    await run(`zpool create tank ${id('a')}`);
    await run('zpool scrub tank');
    while (!(
      said.includes('ACTION=add') &&
      said.includes('sysevent.fs.zfs.pool_import') &&
      said.includes('DEVNAME=/dev/sdb1')
    ))
      await sleep(20);
    await run('zpool wait tank');
    const before = said.length;
    while (!said.slice(before - 200).includes('sysevent.fs.zfs.config_sync')) await sleep(20);
    udev.stop();
    zed.stop();
  });

  it('shows NVMe drives in the same way after each boot', async () => {
    await machine.change(({ storage: section }) => addDrive(section, 'quick', 'nvme', 10 * GiB));
    for (const boot of [1, 2]) {
      await switchOn(machine);
      const transport = '/sys/class/nvme-subsystem/nvme-subsys0/nvme0/transport';
      expect([boot, await host.files.readText(transport)]).toEqual([boot, 'pcie\n']);
      await switchOff(machine);
    }
  });

  it('neither scrubs nor trims a pool that lost its drives', async () => {
    await run(`zpool create -o ashift=12 -O mountpoint=none tank ${id('a')}`);
    await machine.change(({ storage: section }) => {
      for (const drive of section.drives) drive.attached = drive.serial !== 'a';
    });
    expect(await refusal('zpool scrub tank')).toContain('cannot scrub tank: pool I/O is currently suspended');
    expect(await refusal('zpool trim tank')).toContain("cannot trim 'tank': pool I/O is currently suspended");
  });

  it('knows sizes as people write them', () => {
    expect([parseSize('10GiB'), parseSize('500GB'), parseSize('1073741824')]).toEqual([10 * GiB, 500e9, GiB]);
    expect(() => parseSize('ten')).toThrow("size 'ten' isn't a size");
    expect(() => parseSize('1MiB')).toThrow('at least 128MiB');
    expect(() => parseSize('9007199254740992KiB')).toThrow('more than a drive can have');
  });

  it('hangs what is on a drive below it only when names are asked for', async () => {
    const tree = JSON.parse(await run('lsblk -J -o NAME,TYPE')) as { blockdevices: object[] };
    expect(tree.blockdevices.some((row) => 'children' in row)).toBe(true);
    const list = JSON.parse(await run('lsblk -J -o KNAME,TYPE')) as { blockdevices: object[] };
    expect(list.blockdevices).toEqual(expect.arrayContaining([{ kname: 'sda1', type: 'part' }]));
    expect(list.blockdevices.some((row) => 'children' in row)).toBe(false);
  });

  it('prints every digit of a 64-bit size', async () => {
    await machine.change(({ storage: section }) =>
      addDrive(section, 'large', 'scsi', parseSize('8589934591GiB')),
    );
    expect(await run('lsblk -JMpdb -o KNAME,SIZE')).toContain('"size": 9223372035781033984\n');
    const quota = 'quota=9223372036854775807';
    await run(`zpool create -o ashift=12 -O mountpoint=none tank ${id('a')}`);
    await run(`zfs create -o ${quota} tank/v`);
    expect(await run('zfs list -p -o name,quota -j --json-int tank/v')).toContain(
      '"value": 9223372036854775807,',
    );
  });
});
