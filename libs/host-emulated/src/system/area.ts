/** Identity, hardware, kernel, journal, power and service manager of the machine. */
import type { Area } from '../area.ts';
import { baseUnits } from './base-units.ts';
import { installOs } from './installed-os.ts';
import { journalctl } from './journalctl.ts';
import { loadBootModules, modprobe, rmmod } from './kernel-modules.ts';
import { checkPciWrite, onPciWrite } from './pci.ts';
import { powerCommands } from './power.ts';
import { liveProcFiles, populateProcfs } from './procfs.ts';
import { ps } from './ps.ts';
import { dynamicLoader, incus, stty, uname } from './small-tools.ts';
import { mkswap, swapoff, swapon, zramctl } from './swap.ts';
import { populateSysfs } from './sysfs.ts';
import { sysctl } from './sysctl.ts';
import { systemctl } from './systemctl.ts';
import type { Unit } from './units.ts';

/** What of the kernel's is ours and gone without power. */
const volatile = [
  '/proc',
  '/sys/devices/system',
  '/sys/devices/pci0000:00',
  '/sys/bus',
  '/sys/class/dmi',
  '/sys/module',
  '/sys/power',
  '/sys/block/zram0',
  '/dev/zram0',
];

/** @param areas all areas of the machine: the power switch and the service manager act on each. */
export function systemArea(areas: () => readonly Area[]): Area {
  const units = (): readonly Unit[] => areas().flatMap((area) => area.units ?? []);
  return {
    name: 'system',
    tools: {
      'ld-linux-x86-64.so.2': dynamicLoader,
      incus,
      journalctl,
      mkswap,
      modprobe,
      ps: ps(units),
      rmmod,
      stty,
      swapoff,
      swapon,
      sysctl,
      systemctl: systemctl(units),
      uname,
      zramctl,
    },
    units: baseUnits,
    populate: async (machine) => {
      await installOs(machine);
      await loadBootModules(machine);
      await populateProcfs(machine);
      await populateSysfs(machine);
    },
    powerOff: async (machine) => {
      for (const path of volatile) await machine.files.remove(path);
      await machine.change(({ system }) => {
        system.kernel.modules = [];
        system.swaps = {};
      });
    },
    liveFiles: liveProcFiles,
    beforeWrite: checkPciWrite,
    onWrite: onPciWrite,
    commands: powerCommands(areas),
  };
}
