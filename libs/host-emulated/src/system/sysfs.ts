/** What the kernel shows of processors, memory, firmware, PCI and USB below `/sys`. */
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { UsbDevice } from './hardware.ts';
import { writePciDevice } from './pci.ts';
import { linkTo } from './relative-link.ts';
import type { SystemSection } from './section.ts';

/** Writes what isn't there yet; settings made since power-on stay. */
export async function populateSysfs(machine: EmulatedMachine): Promise<void> {
  const { system } = machine.read();
  const { files } = machine;
  const put = async (path: string, text: string): Promise<void> => {
    if (!(await files.exists(path))) await files.append(path, `${text}\n`);
  };
  for (const [name, text] of Object.entries(system.dmi)) await put(`/sys/class/dmi/id/${name}`, text);
  await processors(system, files, put);
  await put('/sys/devices/system/node/online', '0');
  await put('/sys/power/state', 'freeze mem');
  for (const tty of ['console', 'tty1', 'ttyS0']) await put(`/dev/${tty}`, '');
  await put('/sys/class/tty/console/active', 'tty0');
  await put('/sys/module/zfs/parameters/zfs_arc_max', '0');
  for (const device of system.pci) await writePciDevice(files, device);
  await put('/sys/bus/pci/drivers_probe', '');
  for (const device of system.usb) await usbDevice(device, put, files);
}

type Put = (path: string, text: string) => Promise<void>;

async function processors(system: SystemSection, files: Files, put: Put): Promise<void> {
  const { sockets, cores, threads, frequency, governors } = system.cpu;
  const total = sockets * cores * threads;
  const all = total === 1 ? '0' : `0-${total - 1}`;
  const base = '/sys/devices/system/cpu';
  for (const name of ['online', 'present', 'possible']) await put(`${base}/${name}`, all);
  await put(`${base}/isolated`, '');
  for (let id = 0; id < total; id += 1) {
    const cpu = `${base}/cpu${id}`;
    // The boot processor can't be taken offline and has no such file.
    if (id > 0) await put(`${cpu}/online`, '1');
    const core = Math.floor(id / threads);
    await put(`${cpu}/topology/physical_package_id`, String(Math.floor(core / cores)));
    await put(`${cpu}/topology/core_id`, String(core % cores));
    await put(`${cpu}/topology/die_id`, '0');
    const first = core * threads;
    await put(
      `${cpu}/topology/thread_siblings_list`,
      threads === 1 ? String(id) : `${first}-${first + threads - 1}`,
    );
    await caches(cpu, put);
    await linkTo(files, '/sys/devices/system/node/node0', `${cpu}/node0`);
    if (governors.length > 0) await scaling(cpu, frequency, governors, put);
  }
  await put('/sys/devices/system/node/node0/cpulist', all);
}

async function caches(cpu: string, put: Put): Promise<void> {
  const levels = [
    [1, 'Data', '32K'],
    [1, 'Instruction', '32K'],
    [2, 'Unified', '1024K'],
    [3, 'Unified', '28160K'],
  ] as const;
  for (const [index, [level, type, size]] of levels.entries()) {
    await put(`${cpu}/cache/index${index}/level`, String(level));
    await put(`${cpu}/cache/index${index}/type`, type);
    await put(`${cpu}/cache/index${index}/size`, size);
  }
}

async function scaling(
  cpu: string,
  { minimum, maximum }: SystemSection['cpu']['frequency'],
  governors: readonly string[],
  put: Put,
): Promise<void> {
  await put(`${cpu}/cpufreq/scaling_governor`, governors[0] ?? '');
  await put(`${cpu}/cpufreq/scaling_available_governors`, governors.join(' '));
  await put(`${cpu}/cpufreq/cpuinfo_min_freq`, String(minimum));
  await put(`${cpu}/cpufreq/cpuinfo_max_freq`, String(maximum));
  await put(`${cpu}/cpufreq/scaling_cur_freq`, String(maximum));
}

async function usbDevice(device: UsbDevice, put: Put, files: Files): Promise<void> {
  const name = `${device.bus}-${device.device - 1}`;
  const directory = `/sys/devices/pci0000:00/0000:04:00.0/usb${device.bus}/${name}`;
  await put(`${directory}/busnum`, String(device.bus));
  await put(`${directory}/devnum`, String(device.device));
  await put(`${directory}/idVendor`, device.vendor_id);
  await put(`${directory}/idProduct`, device.product_id);
  await put(`${directory}/manufacturer`, device.vendor);
  await put(`${directory}/product`, device.product);
  if (device.serial !== undefined) await put(`${directory}/serial`, device.serial);
  await put(`${directory}/speed`, String(device.speed));
  await linkTo(files, directory, `/sys/bus/usb/devices/${name}`);
  for (const [number, usbInterface] of device.interfaces.entries()) {
    const place = `${directory}/${name}:1.${number}`;
    const hex = (value: number): string => value.toString(16).padStart(2, '0');
    await put(`${place}/bInterfaceNumber`, hex(number));
    await put(`${place}/bInterfaceClass`, hex(usbInterface.class));
    await put(`${place}/bInterfaceSubClass`, hex(usbInterface.subclass));
    if (usbInterface.driver !== undefined)
      await linkTo(files, `/sys/bus/usb/drivers/${usbInterface.driver}`, `${place}/driver`);
    await linkTo(files, place, `/sys/bus/usb/devices/${name}:1.${number}`);
  }
}
