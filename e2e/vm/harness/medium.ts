/** A medium with content for the guest, which it can't write to. */
import { linkOf } from '../hardware/drive.ts';

export interface Medium {
  /** The serial number that the guest sees. */
  readonly id: string;
  readonly kind: 'disk' | 'usb' | 'cd';
  /** A file of the machine's directory. */
  readonly file: string;
}

type Qapi = Readonly<Record<string, unknown>>;

/** What the medium holds, for `-blockdev` and `blockdev-add`. */
export function mediumNode({ id, file }: Medium): Qapi {
  const content = { driver: 'file', filename: `/vm/${file}` };
  return { driver: 'raw', 'node-name': `medium-${id}`, 'read-only': true, file: content };
}

/** What the medium is in, for `-device` and `device_add`. */
export function mediumDevice({ id, kind }: Medium): Readonly<Record<string, string>> {
  const common = { id: `device-${id}`, drive: `medium-${id}`, serial: id };
  switch (kind) {
    case 'disk':
      return { driver: 'scsi-hd', bus: 'scsi0.0', ...common };
    case 'cd':
      return { driver: 'scsi-cd', bus: 'scsi0.0', ...common };
    case 'usb':
      return { driver: 'usb-storage', bus: 'usb.0', ...common };
  }
}

/** The arguments for media that are there from the start. */
export function mediumArgv(media: readonly Medium[]): string[] {
  return media.flatMap((medium) => {
    const { driver = '', ...options } = mediumDevice(medium);
    const device = [driver, ...Object.entries(options).map(([name, value]) => `${name}=${value}`)];
    return ['-blockdev', JSON.stringify(mediumNode(medium)), '-device', device.join(',')];
  });
}

/** The name of the medium below `/dev/disk/by-id`. */
export function mediumLink({ id, kind }: Pick<Medium, 'id' | 'kind'>): string {
  return kind === 'cd'
    ? `scsi-0QEMU_QEMU_CD-ROM_${id}`
    : linkOf({ id, bus: kind === 'usb' ? 'usb' : 'scsi' });
}
