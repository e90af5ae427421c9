/** PCI devices as sysfs has them; names from udev's hardware database. */
import { ResourcesPCI, ResourcesPCIDevice } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

export interface PciDevice {
  readonly address: string;
  /** Class and subclass, such as `0300`. */
  readonly kind: string;
  readonly driver: string;
  readonly driver_version: string;
  readonly numa_node: number;
  readonly vendor: string;
  readonly vendor_id: string;
  readonly product: string;
  readonly product_id: string;
  readonly iommu_group: number;
  /** Absent without SR-IOV. */
  readonly sriov?: { readonly current: number; readonly maximum: number };
  readonly isVirtualFunction: boolean;
}

const bus = '/sys/bus/pci/devices';

export async function readPciDevices(kernel: KernelView): Promise<PciDevice[]> {
  const [addresses, release = ''] = await Promise.all([
    kernel.list(bus),
    kernel.text('/proc/sys/kernel/osrelease'),
  ]);
  return Promise.all(addresses.map((address) => readDevice(kernel, address, release)));
}

async function readDevice(kernel: KernelView, address: string, kernelRelease: string): Promise<PciDevice> {
  const directory = `${bus}/${address}`;
  const [vendor, product, kind, driver, group, numa_node, database, maximum, current, isVirtualFunction] =
    await Promise.all([
      kernel.text(`${directory}/vendor`),
      kernel.text(`${directory}/device`),
      kernel.text(`${directory}/class`),
      kernel.linkName(`${directory}/driver`),
      kernel.linkName(`${directory}/iommu_group`),
      kernel.numaNode(directory),
      kernel.variables(`/run/udev/data/+pci:${address}`),
      kernel.text(`${directory}/sriov_totalvfs`),
      kernel.number(`${directory}/sriov_numvfs`),
      kernel.exists(`${directory}/physfn`),
    ]);
  const own =
    driver === undefined
      ? undefined
      : await kernel.text(`/sys/module/${driver.replaceAll('-', '_')}/version`);
  return {
    address,
    kind: (kind ?? '').replace(/^0x/u, '').slice(0, 4),
    driver: driver ?? '',
    // A driver of the kernel has the kernel's version.
    driver_version: driver === undefined ? '' : (own ?? kernelRelease),
    numa_node,
    vendor: database.get('ID_VENDOR_FROM_DATABASE') ?? '',
    vendor_id: (vendor ?? '').replace(/^0x/u, ''),
    product: database.get('ID_MODEL_FROM_DATABASE') ?? '',
    product_id: (product ?? '').replace(/^0x/u, ''),
    iommu_group: Number(group ?? 0),
    ...(maximum === undefined ? {} : { sriov: { current, maximum: Number(maximum) } }),
    isVirtualFunction,
  };
}

export function pciResources(devices: readonly PciDevice[]): ResourcesPCI {
  return ResourcesPCI.create({
    devices: devices.map(
      ({ address, driver, driver_version, numa_node, vendor, vendor_id, product, product_id, iommu_group }) =>
        ResourcesPCIDevice.create({
          driver,
          driver_version,
          numa_node,
          pci_address: address,
          vendor,
          vendor_id,
          product,
          product_id,
          iommu_group,
          vpd: {},
        }),
    ),
    total: devices.length,
  });
}

/** What cards of all kinds say of the PCI device they are. */
export function cardFields(device: PciDevice): {
  numa_node: number;
  pci_address: string;
  vendor_id: string;
  product_id: string;
  driver?: string;
  driver_version?: string;
  vendor?: string;
  product?: string;
} {
  const { address, numa_node, vendor, vendor_id, product, product_id, driver, driver_version } = device;
  return {
    numa_node,
    pci_address: address,
    vendor_id,
    product_id,
    ...(driver === '' ? {} : { driver, driver_version }),
    ...(vendor === '' ? {} : { vendor }),
    ...(product === '' ? {} : { product }),
  };
}
