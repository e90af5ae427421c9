/** The machine as its firmware describes it (SMBIOS, by way of `/sys/class/dmi/id`). */
import { ResourcesSystem } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

const dmi = '/sys/class/dmi/id';

/** SMBIOS chassis types (DSP0134, table 17) as Incus names them. */
const chassisTypes: Readonly<Record<string, string>> = {
  '1': 'Other',
  '2': 'Unknown',
  '3': 'Desktop',
  '4': 'Low Profile Desktop',
  '5': 'Pizza Box',
  '6': 'Mini Tower',
  '7': 'Tower',
  '8': 'Portable',
  '9': 'Laptop',
  '10': 'Notebook',
  '11': 'Hand Held',
  '12': 'Docking Station',
  '13': 'All in One',
  '14': 'Sub Notebook',
  '15': 'Space-saving',
  '16': 'Lunch Box',
  '17': 'Main Server Chassis',
  '18': 'Expansion Chassis',
  '19': 'SubChassis',
  '20': 'Bus Expansion Chassis',
  '21': 'Peripheral Chassis',
  '22': 'RAID Chassis',
  '23': 'Rack Mount Chassis',
  '24': 'Sealed-case PC',
  '25': 'Multi-system chassis',
  '26': 'Compact PCI',
  '27': 'Advanced TCA',
  '28': 'Blade',
  '29': 'Blade Enclosure',
  '30': 'Tablet',
  '31': 'Convertible',
  '32': 'Detachable',
  '33': 'IoT Gateway',
  '34': 'Embedded PC',
  '35': 'Mini PC',
  '36': 'Stick PC',
};

const virtualVendors = [
  'QEMU',
  'KVM',
  'VMware, Inc.',
  'innotek GmbH',
  'Xen',
  'Microsoft Corporation',
  'Amazon EC2',
];

export async function readFirmware(kernel: KernelView): Promise<ResourcesSystem> {
  const at = async (name: string): Promise<string> => (await kernel.text(`${dmi}/${name}`)) ?? '';
  const names = [
    'product_uuid',
    'sys_vendor',
    'product_name',
    'product_family',
    'product_version',
    'product_sku',
    'product_serial',
    'bios_vendor',
    'bios_date',
    'bios_version',
    'chassis_vendor',
    'chassis_type',
    'chassis_serial',
    'chassis_version',
    'board_vendor',
    'board_name',
    'board_serial',
    'board_version',
  ] as const;
  const values = await Promise.all(names.map(at));
  const value = (name: (typeof names)[number]): string => values[names.indexOf(name)] ?? '';
  const vendor = value('sys_vendor');
  return ResourcesSystem.create({
    uuid: value('product_uuid'),
    vendor,
    product: value('product_name'),
    family: value('product_family'),
    version: value('product_version'),
    sku: value('product_sku'),
    serial: value('product_serial'),
    type: virtualVendors.includes(vendor) ? 'virtual-machine' : 'physical',
    firmware: { vendor: value('bios_vendor'), date: value('bios_date'), version: value('bios_version') },
    chassis: {
      vendor: value('chassis_vendor'),
      type: chassisTypes[value('chassis_type')] ?? '',
      serial: value('chassis_serial'),
      version: value('chassis_version'),
    },
    motherboard: {
      vendor: value('board_vendor'),
      product: value('board_name'),
      serial: value('board_serial'),
      version: value('board_version'),
    },
  });
}
