/** PCI devices: handing them to virtual machines, and their virtual functions. */
import type { SystemKernelConfigPCI, SystemKernelConfigPCISRIOV } from '@incusos/contracts/system';
import type { Files, Host } from '@incusos/host';

const bus = '/sys/bus/pci';

/** How many virtual functions a device can have; `none` without SR-IOV, `undefined` when there is no such device. */
export async function virtualFunctions(files: Files, address: string): Promise<number | 'none' | undefined> {
  const directory = `${bus}/devices/${address.toLowerCase()}`;
  if (!(await files.exists(directory))) return undefined;
  const total = await files.readText(`${directory}/sriov_totalvfs`).catch(() => undefined);
  return total === undefined ? 'none' : Number(total.trim());
}

/** Sets the number of virtual functions of each device; a count other than 0 can only be set from 0. */
export async function applySriov(
  files: Files,
  devices: readonly SystemKernelConfigPCISRIOV[],
): Promise<void> {
  for (const { pci_address, vf_count } of devices) {
    const path = `${bus}/devices/${pci_address.toLowerCase()}/sriov_numvfs`;
    // A device that was unplugged has no functions left to take away.
    if (vf_count === 0 && !(await files.exists(path))) continue;
    const present = (await files.readText(path)).trim();
    if (present === String(vf_count)) continue;
    if (present !== '0') await files.writeInPlace(path, '0\n');
    if (vf_count > 0) await files.writeInPlace(path, `${vf_count}\n`);
  }
}

/**
 * Gives the devices that are named by address to vfio-pci at once (Documentation/driver-api/vfio.rst). One that is
 * missing or busy is left for the next boot.
 * @returns the addresses that were left.
 */
export async function bindPassthrough(
  { files, programs }: Host,
  { passthrough }: SystemKernelConfigPCI,
): Promise<string[]> {
  const left: string[] = [];
  for (const { pci_address = '' } of passthrough) {
    if (pci_address === '') continue;
    const address = pci_address.toLowerCase();
    const device = `${bus}/devices/${address}`;
    try {
      await programs.run(['modprobe', 'vfio-pci']);
      const driver = await files.readLink(`${device}/driver`).catch(() => '');
      if (driver.endsWith('/vfio-pci')) continue;
      await files.writeInPlace(`${device}/driver_override`, 'vfio-pci\n');
      if (driver !== '') await files.writeInPlace(`${device}/driver/unbind`, address);
      await files.writeInPlace(`${bus}/drivers_probe`, address);
    } catch {
      left.push(address);
    }
  }
  return left;
}
