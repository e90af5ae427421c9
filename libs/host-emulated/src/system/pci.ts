/** PCI devices as sysfs shows them (Documentation/PCI/sysfs-pci.rst). */
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { PciDevice } from './hardware.ts';
import { linkTo } from './relative-link.ts';

const devices = '/sys/devices/pci0000:00';

/** Where a device's own directory is. */
export function pciDirectory(address: string): string {
  return `${devices}/${address}`;
}

/** Makes a device appear. What was set since (driver, virtual functions) stays. */
export async function writePciDevice(files: Files, device: PciDevice): Promise<void> {
  const directory = pciDirectory(device.address);
  const put = (name: string, text: string): Promise<void> =>
    files.append(`${directory}/${name}`, `${text}\n`);
  if (!(await files.exists(directory))) {
    await put('vendor', `0x${device.vendor_id}`);
    await put('device', `0x${device.product_id}`);
    await put('class', `0x${device.class}`);
    await put('numa_node', String(device.numa_node ?? -1));
    await put('driver_override', '(null)');
    await put(
      'uevent',
      `PCI_CLASS=${device.class}\nPCI_ID=${device.vendor_id.toUpperCase()}:${device.product_id.toUpperCase()}\nPCI_SLOT_NAME=${device.address}`,
    );
    if (device.sriov_totalvfs !== undefined) {
      await put('sriov_totalvfs', String(device.sriov_totalvfs));
      await put('sriov_numvfs', '0');
    }
    if (device.iommu_group !== undefined) {
      await linkTo(files, `/sys/kernel/iommu_groups/${device.iommu_group}`, `${directory}/iommu_group`);
    }
    if (device.driver !== undefined) await bindDriver(files, device.address, device.driver);
  }
  await linkTo(files, directory, `/sys/bus/pci/devices/${device.address}`);
  const database = `/run/udev/data/+pci:${device.address}`;
  if (await files.exists(database)) return;
  await files.append(
    database,
    `E:ID_VENDOR_FROM_DATABASE=${device.vendor}\nE:ID_MODEL_FROM_DATABASE=${device.product}\n`,
  );
}

async function bindDriver(files: Files, address: string, driver: string): Promise<void> {
  const place = `/sys/bus/pci/drivers/${driver}`;
  for (const name of ['bind', 'unbind']) {
    if (!(await files.exists(`${place}/${name}`))) await files.append(`${place}/${name}`, '');
  }
  await linkTo(files, place, `${pciDirectory(address)}/driver`);
  await linkTo(files, pciDirectory(address), `${place}/${address}`);
}

async function unbindDriver(files: Files, address: string): Promise<void> {
  const link = `${pciDirectory(address)}/driver`;
  if (!(await files.exists(link))) return;
  const driver = await files.realPath(link);
  await files.remove(`${driver}/${address}`);
  await files.remove(link);
}

/** The kernel's answer to a write below `/sys/bus/pci`. */
export async function onPciWrite(machine: EmulatedMachine, path: string, data: string): Promise<void> {
  const { files } = machine;
  const value = data.trim();
  if (path === '/sys/bus/pci/drivers_probe') {
    const directory = pciDirectory(value);
    if (!(await files.exists(directory))) throw errno('EINVAL', 'Invalid argument', path);
    if (await files.exists(`${directory}/driver`)) return;
    const wanted = (await files.readText(`${directory}/driver_override`)).trim();
    const usual = machine.read().system.pci.find(({ address }) => address === value)?.driver;
    const driver = wanted === '(null)' || wanted === '' ? usual : wanted;
    if (driver !== undefined) await bindDriver(files, value, driver);
    return;
  }
  if (/\/driver\/unbind$|\/drivers\/[^/]+\/unbind$/u.test(path)) await unbindDriver(files, value);
}

/** Refuses what the kernel refuses, before anything is written: more virtual functions than there are, or a change between two counts. */
export async function checkPciWrite(machine: EmulatedMachine, path: string, data: string): Promise<void> {
  if (!path.endsWith('/sriov_numvfs')) return;
  const { files } = machine;
  const total = Number(await files.readText(path.replace(/sriov_numvfs$/u, 'sriov_totalvfs')));
  const present = Number(await files.readText(path));
  const wanted = Number(data.trim());
  if (!Number.isInteger(wanted) || wanted < 0) throw errno('EINVAL', 'invalid argument', path);
  if (wanted > total) throw errno('ERANGE', 'numerical result out of range', path);
  if (wanted > 0 && present > 0 && wanted !== present) throw errno('EBUSY', 'resource busy or locked', path);
}

function errno(code: string, text: string, path: string): Error {
  return Object.assign(new Error(`${code}: ${text}, write '${path}'`), { code });
}
