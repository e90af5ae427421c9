/** The readers of programs' output, on what the programs of a real machine answered. */
import { ProgramError } from '@incusos/host';
import { answersTo, outputOf } from '@incusos/host-emulated/samples';
import { describe, expect, it } from 'vitest';
import { parseDrives, parseRootDisk } from './drives/lsblk.ts';
import { parseSmartctl } from './drives/smartctl.ts';
import { parseDatasets } from './pools/datasets.ts';
import { poolType, scrubStatus, trimStatus } from './pools/pool-state.ts';
import { isNoSuchPool, objections, onlyAboutShape, zfsFailure } from './pools/zfs-error.ts';
import { parseStatus, type PoolStatus } from './pools/zpool-status.ts';

const byId = (serial: string): string => `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${serial}`;
const gib = 1_073_741_824n;

describe('the drives of a real machine', () => {
  const drives = parseDrives(outputOf('storage/drives', 'lsblk -JMpdb'));
  const health = (node: string): ReturnType<typeof parseSmartctl> =>
    parseSmartctl(outputOf('storage/drives', `smartctl -aj ${node}`));

  it('are listed with what each bus calls them', () => {
    expect(
      drives.map(({ idLink, size, subsystems, removable }) => [idLink, size, subsystems, removable]),
    ).toEqual(
      expect.arrayContaining([
        ['scsi-0QEMU_QEMU_HARDDISK_incus_root', 50n * gib, 'block:scsi:virtio:pci', false],
        ['scsi-0QEMU_QEMU_HARDDISK_a', gib, 'block:scsi:virtio:pci', false],
        ['scsi-35000c50015ea71ac', gib, 'block:scsi:virtio:pci', false],
        ['ata-QEMU_HARDDISK_s', gib, 'block:scsi:pci', false],
        ['usb-QEMU_QEMU_HARDDISK_u-0:0', gib, 'block:scsi:usb:pci', true],
        ['nvme-QEMU_NVMe_Ctrl_n', gib, 'block:nvme:pci', false],
        ['virtio-v', gib, 'block:virtio:pci', false],
      ]),
    );
    expect(drives).toHaveLength(12);
    expect(drives.flatMap(({ wwn }) => wwn ?? [])).toEqual([
      '0x5000c50015ea71ac',
      'nvme.1b36-6e-51454d55204e564d65204374726c-00000001',
    ]);
  });

  it('have the root file system on the first of them, below its encryption', () => {
    expect(parseRootDisk(outputOf('storage/drives', 'lsblk -Jp'))).toBe('/dev/sda');
  });

  it('say how they are, where they can', () => {
    expect(health('/dev/sdi')).toMatchObject({
      bus: 'sata',
      modelName: 'QEMU HARDDISK',
      serialNumber: 's',
      smart: { enabled: true, passed: true, power_on_hours: 1, temperature_celsius: 31 },
    });
    expect(health('/dev/nvme0n1')).toMatchObject({
      bus: 'nvme',
      modelName: 'QEMU NVMe Ctrl',
      serialNumber: 'n',
      smart: { enabled: true, passed: true, temperature_celsius: 50, data_units_read: 7n },
    });
    expect(health('/dev/sdg')).toEqual({
      bus: 'scsi',
      modelFamily: 'QEMU',
      modelName: 'QEMU HARDDISK',
      serialNumber: 'f',
      smart: undefined,
    });
  });

  it('that smartctl can not ask have no health and no names', () => {
    const nothing = { bus: '', modelFamily: '', modelName: '', serialNumber: '', smart: undefined };
    for (const node of ['/dev/sdj', '/dev/vda', '/dev/sdzz']) expect(health(node)).toEqual(nothing);
  });
});

function pool(recording: string, index = 0): PoolStatus {
  const pools = parseStatus(outputOf(recording, 'zpool status', index));
  const found = pools.find(({ name }) => name === 'tank');
  if (found === undefined)
    throw new Error(`there is no tank among ${pools.map(({ name }) => name).join(', ')}`);
  return found;
}

describe('the pools of a real machine', () => {
  it.each([
    ['stripe', 'zfs-raid0', ['a', 'b']],
    ['two-mirrors', 'zfs-raid10', ['a', 'b', 'c', 'd']],
    ['raidz1', 'zfs-raidz1', ['a', 'b', 'c']],
    ['raidz2', 'zfs-raidz2', ['a', 'b', 'c', 'd']],
    ['raidz3', 'zfs-raidz3', ['a', 'b', 'c', 'd', 'e']],
  ])('laid out as %s are %s', (recording, type, serials) => {
    const { groups, members, state, scan, trims } = pool(`storage/${recording}`);
    expect(poolType('tank', groups)).toBe(type);
    expect(state).toBe('ONLINE');
    expect(
      members.map(({ role, device, handle, state: each, leaving }) => [role, device, handle, each, leaving]),
    ).toEqual(serials.map((serial) => ['devices', byId(serial), byId(serial), 'ONLINE', false]));
    expect(scan).toBeUndefined();
    expect(trims.map((trim) => trim.state)).toEqual(serials.map(() => 'UNTRIMMED'));
    const raw = groups.reduce((sum, { totalSpace }) => sum + totalSpace, 0n);
    const usable = groups.reduce((sum, { deflatedSpace }) => sum + deflatedSpace, 0n);
    expect(usable).toBeLessThanOrEqual(raw);
    expect(groups.every(({ allocatedSpace }) => allocatedSpace > 0n)).toBe(true);
  });
});

describe('the members of a real pool', () => {
  const told = ({ members }: PoolStatus): unknown[] =>
    members.map(({ role, device, state, group, leaving }) => [role, device, state, group, leaving]);
  const mirrored = (serial: string, state = 'ONLINE'): unknown[] => [
    'devices',
    byId(serial),
    state,
    'mirror-0',
    false,
  ];

  it('are told by what they are for, and those that left are not there', () => {
    const { groups } = pool('storage/helpers');
    expect(groups.map(({ role, kind }) => [role, kind])).toEqual([
      ['devices', 'mirror'],
      ['special', 'mirror'],
      ['log', 'disk'],
      ['cache', 'disk'],
    ]);
    expect(pool('storage/helpers', 1).members.map(({ role }) => role)).toEqual([
      ...['devices', 'devices', 'special', 'special'],
    ]);
  });

  it('go offline, come back, and are joined and replaced by others', () => {
    expect(pool('storage/members').state).toBe('DEGRADED');
    expect(told(pool('storage/members'))).toEqual([mirrored('a'), mirrored('b', 'OFFLINE')]);
    expect(told(pool('storage/members', 1))).toEqual([mirrored('a'), mirrored('b')]);
    expect(told(pool('storage/members', 2))).toEqual([mirrored('a'), mirrored('b'), mirrored('c')]);
    expect(told(pool('storage/members', 3))).toEqual([mirrored('a'), mirrored('b'), mirrored('d')]);
  });

  it('are scrubbed and trimmed', () => {
    const scrubbed = pool('storage/upkeep');
    expect(scrubbed.scan).toMatchObject({ function: 'SCRUB', state: 'FINISHED', errors: 0 });
    expect(scrubStatus(scrubbed.scan)).toMatchObject({ state: 'FINISHED', progress: '100.00%' });
    const { trims } = pool('storage/upkeep', 1);
    expect(trimStatus(trims)).toMatchObject({ state: 'FINISHED', errors: 0 });
  });
});

describe('a real pool that lost a drive', () => {
  it('names it by what it was, and handles it by its guid after an import', () => {
    const states = [0, 1, 2, 3].map((index) => pool('storage/missing-member', index));
    expect(states.map(({ state }) => state)).toEqual(['DEGRADED', 'DEGRADED', 'DEGRADED', 'ONLINE']);
    const lost = states.map(({ members }) => members.find(({ device }) => device === byId('b')));
    expect(lost.map((member) => member?.state)).toEqual(['CANT_OPEN', 'CANT_OPEN', 'CANT_OPEN', 'ONLINE']);
    expect(lost[0]?.handle).toBe(byId('b'));
    expect(lost[1]?.handle).toMatch(/^\d{10,20}$/u);
    expect(trimStatus(states[1]?.trims ?? [])?.state).not.toBe('UNSUPPORTED');
  });

  it('counts what a scrub repaired as no error that is left', () => {
    const { state, scan } = pool('storage/checksum-errors');
    expect(state).toBe('ONLINE');
    expect(scan).toMatchObject({ function: 'SCRUB', state: 'FINISHED', errors: 0 });
  });
});

describe('the volumes of a real pool', () => {
  it('have their quota, their use and the state of their key', () => {
    const datasets = parseDatasets(outputOf('storage/volumes', 'zfs list'));
    const told = datasets.map(({ name, quota, use, keyStatus }) => [name, quota, use, keyStatus]);
    expect(told).toEqual([
      ['local', 0n, '-', 'available'],
      ['tank', 0n, '-', 'available'],
      ['tank/one', 0n, 'incus', 'available'],
      ['tank/two', 268_435_456n, 'linstor', '-'],
    ]);
    expect(datasets.every(({ used, smallBlocksKiB }) => used > 0n && smallBlocksKiB === 0)).toBe(true);
  });

  it('are locked after an import', () => {
    const locked = parseDatasets(outputOf('storage/import', 'zfs list'));
    expect(locked.find(({ name }) => name === 'tank')?.keyStatus).toBe('unavailable');
  });
});

describe('what a real ZFS refuses', () => {
  const refused = (recording: string, line: string): ProgramError[] =>
    answersTo(recording, line)
      .filter(({ exit_code }) => exit_code !== 0)
      .map(
        ({ run: [program], exit_code, stderr }) =>
          new ProgramError('failed', program, stderr.join('\n').trim(), exit_code, `${program} failed`),
      );
  const reasons = (recording: string, line: string): string[] =>
    refused(recording, line).map((error) => zfsFailure(error, 'unable').reason);

  it('is the mistake of whoever asked, for drives, names and sizes', () => {
    for (const line of ['zpool create', 'zpool add', 'zpool attach', 'zpool remove tank /dev']) {
      const found = refused('storage/refusals', line);
      expect(found.length, line).toBeGreaterThan(0);
      for (const error of found) {
        // These two depend on the machine, or come before the service asks at all.
        if (
          /pool already exists|name is reserved|no such device in pool|no such pool or dataset/u.test(
            error.stderr,
          )
        )
          continue;
        expect(zfsFailure(error, 'unable').reason, error.stderr).toBe('INVALID_REQUEST');
      }
    }
    expect(reasons('storage/volumes', 'zfs set quota')).toEqual(['INVALID_REQUEST']);
  });

  it('is told apart where the shape of a pool can be forced', () => {
    const shapes = refused('storage/refusals', 'zpool create').map(objections);
    expect(shapes.filter(onlyAboutShape)).toEqual([
      ['mirror contains devices of different sizes'],
      ['mismatched replication level: both 3-way and 2-way mirror vdevs are present'],
      ['mismatched replication level: both disk and mirror vdevs are present'],
    ]);
    expect(shapes.filter((lines) => lines.length > 0 && !onlyAboutShape(lines))).toEqual([
      [`${byId('b')}-part1 is part of exported pool 'tank'`],
    ]);
  });

  it('is known where a pool is not there', () => {
    const missing = refused('storage/import', 'zpool import -N');
    expect(missing.map(isNoSuchPool)).toEqual([true, false]);
  });
});
