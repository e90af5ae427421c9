/** Drives, their partitions, and ZFS. */
import type { Area } from '../area.ts';
import { commands } from './commands.ts';
import { syncDeviceFiles } from './device-files.ts';
import { blkdiscard, dd, sgdisk, wipefs } from './tools/media.ts';
import { lsblk } from './tools/lsblk.ts';
import { smartctl } from './tools/smartctl.ts';
import { udevadm } from './tools/udevadm.ts';
import { zfs } from './zfs/zfs.ts';
import { zpool } from './zpool/zpool.ts';

export const storage: Area = {
  name: 'storage',
  tools: { blkdiscard, dd, lsblk, sgdisk, smartctl, udevadm, wipefs, zfs, zpool },
  populate: (machine) => syncDeviceFiles(machine.files, machine.read().storage),
  // An unclean stop: pools are on their drives, nothing is imported and no key is loaded after it.
  powerOff: (machine) =>
    machine.change(({ storage: { pools } }) => {
      for (const pool of pools) {
        pool.imported = false;
        for (const dataset of pool.datasets) delete dataset.key_loaded;
      }
    }),
  commands,
};
