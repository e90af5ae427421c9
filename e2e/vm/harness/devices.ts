/** Drives and network cards of a machine under test, as arguments of QEMU. */

export type Bus = 'scsi' | 'nvme' | 'usb' | 'virtio';

/** A drive whose serial number is chosen, and with it its name below `/dev/disk/by-id`. */
export interface Drive {
  readonly serial: string;
  readonly bus: Bus;
  /** A file of the machine's directory. */
  readonly file: string;
  readonly readOnly?: boolean;
}

/** A card on QEMU's own network, or on one that two machines share by a Unix socket. */
export interface Card {
  readonly mac: string;
  readonly network: 'user' | { readonly listen: string } | { readonly connect: string };
}

/** What udev calls a drive (60-persistent-storage.rules). */
export function linkOf({ bus, serial }: Pick<Drive, 'bus' | 'serial'>): string {
  switch (bus) {
    case 'scsi':
      return `scsi-0QEMU_QEMU_HARDDISK_${serial}`;
    case 'nvme':
      return `nvme-QEMU_NVMe_Ctrl_${serial}`;
    case 'usb':
      return `usb-QEMU_QEMU_HARDDISK_${serial}-0:0`;
    case 'virtio':
      return `virtio-${serial}`;
  }
}

/** QEMU's device for a drive with the block node `node`, and the bus it sits on. */
export function driveDevice(drive: Drive, node: string): Readonly<Record<string, string>> {
  const common = { id: `device-${drive.serial}`, drive: node, serial: drive.serial };
  switch (drive.bus) {
    case 'scsi':
      return { driver: 'scsi-hd', bus: 'scsi0.0', ...common };
    case 'nvme':
      return { driver: 'nvme', ...common };
    case 'usb':
      return { driver: 'usb-storage', bus: 'usb.0', ...common };
    case 'virtio':
      return { driver: 'virtio-blk-pci', ...common };
  }
}

/** The arguments for drives that are there from the start. */
export function driveArgv(drives: readonly Drive[]): string[] {
  return [
    ...drives.flatMap((drive) => {
      const node = `drive-${drive.serial}`;
      const readOnly = drive.readOnly === true ? ',readonly=on' : '';
      return [
        '-drive',
        `if=none,id=${node},format=raw,file=/vm/${drive.file},cache=unsafe${readOnly}`,
        '-device',
        options(driveDevice(drive, node)),
      ];
    }),
  ];
}

/** The arguments for cards beside the first one, behind which the API is. */
export function cardArgv(cards: readonly Card[]): string[] {
  return cards.flatMap(({ mac, network }, index) => {
    const id = `card${index}`;
    return ['-netdev', netdev(network, id), '-device', `virtio-net-pci,netdev=${id},mac=${mac}`];
  });
}

function netdev(network: Card['network'], id: string): string {
  if (network === 'user') return `user,id=${id}`;
  return 'listen' in network
    ? `stream,id=${id},server=on,addr.type=unix,addr.path=${network.listen}`
    : `stream,id=${id},server=off,addr.type=unix,addr.path=${network.connect},reconnect-ms=500`;
}

function options({ driver = '', ...rest }: Readonly<Record<string, string>>): string {
  return [driver, ...Object.entries(rest).map(([name, value]) => `${name}=${value}`)].join(',');
}
