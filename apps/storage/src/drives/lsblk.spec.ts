import { describe, expect, it } from 'vitest';
import { parseDrives, parseRootDisk } from './lsblk.ts';

/** util-linux 2.41: `lsblk -JMpdb -e … -o KNAME,ID_LINK,SIZE,SUBSYSTEMS,RM,WWN`. */
const listing = `{
   "blockdevices": [
      {
         "kname": "/dev/sda",
         "id-link": "scsi-0QEMU_QEMU_HARDDISK_incus_root",
         "size": 53687091200,
         "subsystems": "block:scsi:virtio:pci",
         "rm": false,
         "wwn": null
      },{
         "kname": "/dev/sr0",
         "id-link": null,
         "size": 1073741312,
         "subsystems": "block:scsi:pci",
         "rm": true,
         "wwn": null
      },{
         "kname": "/dev/nvme0n1",
         "id-link": "nvme-Samsung_SSD_990_PRO_2TB_S6Z2NJ0W",
         "size": 2000398934016,
         "subsystems": "block:nvme:pci",
         "rm": false,
         "wwn": "eui.0025384b21401f0a"
      }
   ]
}
`;

const mounts = `{
   "blockdevices": [
      { "name": "/dev/sdb", "type": "disk", "mountpoints": [],
        "children": [ { "name": "/dev/sdb1", "type": "part", "mountpoints": [ "/srv" ] } ] },
      { "name": "/dev/sda", "type": "disk", "mountpoints": [],
        "children": [
          { "name": "/dev/sda1", "type": "part", "mountpoints": [ "/boot" ] },
          { "name": "/dev/sda10", "type": "part", "mountpoints": [],
            "children": [ { "name": "/dev/dm-1", "type": "crypt", "mountpoints": [ "/var", "/" ] } ] }
        ] }
   ]
}
`;

describe('the output of lsblk', () => {
  it('lists drives with their sizes to the byte', () => {
    expect(parseDrives(listing)).toMatchObject([
      {
        node: '/dev/sda',
        idLink: 'scsi-0QEMU_QEMU_HARDDISK_incus_root',
        size: 53_687_091_200n,
        removable: false,
        wwn: undefined,
      },
      { node: '/dev/sr0', idLink: undefined, removable: true },
      {
        node: '/dev/nvme0n1',
        size: 2_000_398_934_016n,
        subsystems: 'block:nvme:pci',
        wwn: 'eui.0025384b21401f0a',
      },
    ]);
  });

  it('tells the disk below the root file system, through what maps it', () => {
    expect(parseRootDisk(mounts)).toBe('/dev/sda');
    expect(parseRootDisk('{"blockdevices": []}')).toBeUndefined();
  });

  it('that lists nothing is an error', () => {
    expect(() => parseDrives('[]')).toThrow('lsblk did not list block devices');
    expect(() => parseDrives('lsblk: unknown column')).toThrow(SyntaxError);
  });
});
