/** The machine as its firmware describes it (SMBIOS, by way of `/sys/class/dmi/id`), its load and serial ports. */
import {
  ResourcesLoad,
  ResourcesSerial,
  ResourcesSerialDevice,
  ResourcesSystem,
} from '@incusos/contracts/system';
import type { KernelFiles } from './kernel-files.ts';

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

export async function readFirmware(kernel: KernelFiles): Promise<ResourcesSystem> {
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

export async function readLoad(kernel: KernelFiles): Promise<ResourcesLoad> {
  const [one, five, fifteen, processes] = ((await kernel.text('/proc/loadavg')) ?? '').split(' ');
  return ResourcesLoad.create({
    average_1_min: Number(one ?? 0),
    average_5_min: Number(five ?? 0),
    average_10_min: Number(fifteen ?? 0),
    processes: Number(processes?.split('/')[1] ?? 0),
  });
}

const serialLinks = '/dev/serial/by-id';

/** Serial adapters that udev knows by id; ports of the mainboard have none. */
export async function readSerial(kernel: KernelFiles): Promise<ResourcesSerial> {
  const names = await kernel.list(serialLinks);
  const devices = await Promise.all(
    names.map(async (device_id) => {
      const id = (await kernel.linkName(`${serialLinks}/${device_id}`)) ?? '';
      const device = (await kernel.text(`/sys/class/tty/${id}/dev`)) ?? '';
      const udev = await kernel.variables(`/run/udev/data/c${device}`);
      return ResourcesSerialDevice.create({
        id,
        device,
        device_id,
        device_path: udev.get('ID_PATH') ?? '',
        driver: udev.get('ID_USB_DRIVER') ?? '',
        vendor: udev.get('ID_VENDOR_FROM_DATABASE') ?? udev.get('ID_VENDOR') ?? '',
        vendor_id: udev.get('ID_VENDOR_ID') ?? '',
        product: udev.get('ID_MODEL_FROM_DATABASE') ?? udev.get('ID_MODEL') ?? '',
        product_id: udev.get('ID_MODEL_ID') ?? '',
      });
    }),
  );
  return ResourcesSerial.create({ devices, total: devices.length });
}
