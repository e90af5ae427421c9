import { describe, expect, it } from 'vitest';
import { DeviceLinks, diskNode, withoutPartition } from './device-links.ts';
import { type DriveFacts, listDrives, withMembership } from './drive-list.ts';

const links = new DeviceLinks(
  new Map([
    ['/dev/disk/by-id/lvm-pv-uuid-abc', '/dev/sdb'],
    ['/dev/disk/by-id/scsi-2', '/dev/sdb'],
    ['/dev/disk/by-id/scsi-2-part1', '/dev/sdb1'],
    ['/dev/disk/by-id/wwn-0x5000c500a1', '/dev/sdb'],
    ['/dev/disk/by-id/scsi-1', '/dev/sda'],
    ['/dev/disk/by-id/scsi-1-part11', '/dev/sda11'],
    ['/dev/disk/by-partlabel/local-data', '/dev/sda11'],
    ['/dev/disk/by-path/pci-3', '/dev/sdc'],
    ['/dev/disk/by-id/nvme-x', '/dev/nvme0n1'],
    ['/dev/disk/by-id/nvme-eui.1', '/dev/nvme0n1'],
    ['/dev/disk/by-id/usb-Cisco_vmedia', '/dev/sdd'],
  ]),
);

function device(node: string, change: object = {}): DriveFacts['devices'][number] {
  return {
    node,
    idLink: 'x',
    size: 10n,
    subsystems: 'block:scsi:pci',
    removable: false,
    wwn: undefined,
    ...change,
  };
}

function facts(devices: DriveFacts['devices']): DriveFacts {
  return {
    devices,
    links,
    health: new Map(),
    connections: new Map(),
    rootDisk: '/dev/sda',
    encrypted: new Set(['scsi-2']),
  };
}

describe('the list of drives', () => {
  it('names a drive by its first id, or by its path, and is sorted', () => {
    const drives = listDrives(facts([device('/dev/sdc'), device('/dev/sdb'), device('/dev/sda')]));
    expect(drives.map(({ id, boot }) => [id, boot])).toEqual([
      ['/dev/disk/by-id/scsi-1', true],
      ['/dev/disk/by-id/scsi-2', false],
      ['/dev/disk/by-path/pci-3', false],
    ]);
  });

  it('leaves out what has no name, and the virtual media of management controllers', () => {
    const odd = [
      device('/dev/mmcblk0boot0', { idLink: undefined }),
      device('/dev/sdd', { idLink: 'usb-Cisco_vmedia' }),
      device('/dev/sdz'),
      device('/dev/dm-3'),
    ];
    expect(listDrives(facts(odd))).toEqual([]);
  });

  it('gives a world wide name only with the link that leads by it', () => {
    const [nvme, scsi] = listDrives(
      facts([
        device('/dev/sdb', { wwn: '0x5000c500a1' }),
        device('/dev/nvme0n1', { wwn: 'eui.1', subsystems: 'block:nvme:pci' }),
      ]),
    );
    expect(scsi).toMatchObject({ wwn: '0x5000c500a1', wwn_id: '/dev/disk/by-id/wwn-0x5000c500a1' });
    expect(nvme).toMatchObject({ wwn: 'eui.1', wwn_id: '/dev/disk/by-id/nvme-eui.1' });
    const [unlinked] = listDrives(
      facts([device('/dev/nvme0n1', { wwn: 'eui.2', subsystems: 'block:nvme:pci' })]),
    );
    expect(unlinked?.wwn).toBeUndefined();
  });

  it('says which drives are encrypted, and which belong to a pool, whole or in part', () => {
    const drives = listDrives(facts([device('/dev/sda'), device('/dev/sdb'), device('/dev/sdc')]));
    const members = new Map([
      ['/dev/disk/by-partlabel/local-data', 'local'],
      ['/dev/mapper/luks-scsi-2', 'tank'],
    ]);
    expect(withMembership(drives, links, members)).toMatchObject([
      { id: '/dev/disk/by-id/scsi-1', member_pool: 'local' },
      {
        id: '/dev/disk/by-id/scsi-2',
        member_pool: 'tank',
        encrypted: true,
        encrypted_id: '/dev/mapper/luks-scsi-2',
      },
      { id: '/dev/disk/by-path/pci-3' },
    ]);
    expect(withMembership(drives, links, members)[2]?.member_pool).toBeUndefined();
  });
});

describe('the names of a device', () => {
  it('lead to the same device', () => {
    expect(links.same('/dev/disk/by-partlabel/local-data', '/dev/disk/by-id/scsi-1-part11')).toBe(true);
    expect(links.same('/dev/disk/by-partlabel/local-data', '/dev/disk/by-id/scsi-1')).toBe(false);
    expect(links.same('/dev/disk/by-id/none', '/dev/disk/by-id/nothing')).toBe(false);
    expect(links.node('/dev/disk/by-id/none')).toBeUndefined();
    expect(links.node('/dev/sdb')).toBe('/dev/sdb');
  });

  it.each([
    ['/dev/sda', '/dev/sda'],
    ['/dev/sda11', '/dev/sda'],
    ['/dev/sdaa1', '/dev/sdaa'],
    ['/dev/nvme0n1', '/dev/nvme0n1'],
    ['/dev/nvme0n1p3', '/dev/nvme0n1'],
    ['/dev/mmcblk0p1', '/dev/mmcblk0'],
    ['/dev/vdb2', '/dev/vdb'],
    ['/dev/dm-1', '/dev/dm-1'],
  ])('of %s are on the drive %s', (node, disk) => {
    expect(diskNode(node)).toBe(disk);
  });

  it('lose the partition', () => {
    expect(withoutPartition('/dev/disk/by-id/scsi-1-part11')).toBe('/dev/disk/by-id/scsi-1');
  });
});
