/** Serial adapters, as udev knows them. */
import { ResourcesSerial, ResourcesSerialDevice } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

const serialLinks = '/dev/serial/by-id';

/** Serial adapters that udev knows by id; ports of the mainboard have none. */
export async function readSerial(kernel: KernelView): Promise<ResourcesSerial> {
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
