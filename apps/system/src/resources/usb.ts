/** USB devices but for hubs (Documentation/ABI/testing/sysfs-bus-usb). Speeds in Mbit/s. */
import { ResourcesUSB, ResourcesUSBDevice, ResourcesUSBDeviceInterface } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

const bus = '/sys/bus/usb/devices';

/** Base classes by number (usb.org, Defined Class Codes). */
const classes: Readonly<Record<number, string>> = {
  0: 'Interface-specific',
  1: 'Audio',
  2: 'Communications',
  3: 'Human Interface Device',
  5: 'Physical Interface Device',
  6: 'Image',
  7: 'Printer',
  8: 'Mass Storage',
  9: 'Hub',
  10: 'CDC Data',
  11: 'Smart Card',
  13: 'Content Security',
  14: 'Video',
  15: 'Personal Healthcare',
  224: 'Wireless Controller',
  239: 'Miscellaneous Device',
  254: 'Application Specific Interface',
  255: 'Vendor Specific Class',
};

const hub = 9;

export async function readUsb(kernel: KernelView): Promise<ResourcesUSB> {
  const names = await kernel.list(bus);
  const interfaces = names.filter((name) => name.includes(':'));
  const found = await Promise.all(
    names
      .filter((name) => /^\d+-[\d.]+$/u.test(name))
      .map((name) =>
        readDevice(
          kernel,
          name,
          interfaces.filter((other) => other.startsWith(`${name}:`)),
        ),
      ),
  );
  const devices = found.filter((device) => !device.interfaces.every(({ class_id }) => class_id === hub));
  return ResourcesUSB.create({ devices, total: devices.length });
}

async function readDevice(
  kernel: KernelView,
  name: string,
  interfaces: readonly string[],
): Promise<ResourcesUSBDevice> {
  const directory = `${bus}/${name}`;
  const [
    bus_address,
    device_address,
    serial = '',
    vendor = '',
    vendor_id = '',
    product = '',
    product_id = '',
    speed,
    list,
  ] = await Promise.all([
    kernel.number(`${directory}/busnum`),
    kernel.number(`${directory}/devnum`),
    kernel.text(`${directory}/serial`),
    kernel.text(`${directory}/manufacturer`),
    kernel.text(`${directory}/idVendor`),
    kernel.text(`${directory}/product`),
    kernel.text(`${directory}/idProduct`),
    kernel.number(`${directory}/speed`),
    Promise.all(interfaces.map((other) => readInterface(kernel, other))),
  ]);
  return ResourcesUSBDevice.create({
    bus_address,
    device_address,
    serial,
    interfaces: list,
    vendor,
    vendor_id,
    product,
    product_id,
    speed,
  });
}

async function readInterface(kernel: KernelView, name: string): Promise<ResourcesUSBDeviceInterface> {
  const directory = `${bus}/${name}`;
  const hexadecimal = async (file: string): Promise<number> =>
    Number.parseInt((await kernel.text(`${directory}/${file}`)) ?? '0', 16);
  const [number, class_id, subclass_id, driver = ''] = await Promise.all([
    hexadecimal('bInterfaceNumber'),
    hexadecimal('bInterfaceClass'),
    hexadecimal('bInterfaceSubClass'),
    kernel.linkName(`${directory}/driver`),
  ]);
  const driver_version = driver === '' ? '' : ((await kernel.text('/proc/sys/kernel/osrelease')) ?? '');
  return ResourcesUSBDeviceInterface.create({
    class: classes[class_id] ?? '',
    class_id,
    driver,
    driver_version,
    number,
    subclass: '',
    subclass_id,
  });
}
