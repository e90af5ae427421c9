/** The hardware in QEMU's terms: what its arguments `-blockdev`, `-netdev` and `-device` take, and QMP's commands too. */
import { cableSocket } from '../neighbour/cable.ts';
import { type Description, firstNic, portCount, scsiPort } from './description.ts';
import type { Drive } from './drive.ts';
import type { Nic } from './nic.ts';

/** An object of QAPI. */
export type Qapi = Readonly<Record<string, unknown>>;

/** A name for the device and the block nodes of a drive. */
export const deviceOf = ({ id }: Pick<Drive, 'id'>): string => `device-${id}`;
export const nodeOf = ({ id }: Pick<Drive, 'id'>): string => `drive-${id}`;
/** The node that answers every access with an I/O error. */
export const failingNodeOf = ({ id }: Pick<Drive, 'id'>): string => `failed-${id}`;
export const fileOf = ({ id }: Pick<Drive, 'id'>): string => `drives/${id}.qcow2`;
export const cardOf = ({ name }: Pick<Nic, 'name'>): string => `nic-${name}`;

/** The critical warning "reliability is degraded" (NVM Express Base Specification, SMART log page). */
export const nvmeDegraded = 4;

/** What a drive's content is. */
export function driveNode(drive: Drive): Qapi {
  return {
    driver: 'qcow2',
    'node-name': nodeOf(drive),
    ...{ discard: 'unmap', 'detect-zeroes': 'unmap', cache: { 'no-flush': true } },
    file: { driver: 'file', filename: `/vm/${fileOf(drive)}` },
  };
}

/** A node over the drive's own (blkdebug) that fails whatever is asked of it. */
export function failingNode(drive: Drive): Qapi {
  const errors = [{ event: 'none', errno: 5 }];
  return {
    ...{ driver: 'blkdebug', 'node-name': failingNodeOf(drive) },
    ...{ image: nodeOf(drive), 'inject-error': errors },
  };
}

/** The device; `place` is the one on the SATA controller. */
export function driveDevice(drive: Drive, place = 0): Qapi {
  const common = {
    id: deviceOf(drive),
    drive: drive.failed ? failingNodeOf(drive) : nodeOf(drive),
    serial: drive.id,
  };
  switch (drive.bus) {
    case 'scsi':
      return { driver: 'scsi-hd', bus: 'scsi0.0', ...common };
    case 'nvme': {
      const warning = drive.failed ? { smart_critical_warning: nvmeDegraded } : {};
      return { driver: 'nvme', bus: `port${drive.port ?? 0}`, ...common, ...warning };
    }
    case 'usb':
      return { driver: 'usb-storage', bus: 'usb.0', removable: true, ...common };
    case 'virtio':
      return { driver: 'virtio-blk-pci', bus: `port${drive.port ?? 0}`, ...common };
    case 'sata':
      return { driver: 'ide-hd', bus: `ide.${place}`, ...common };
  }
}

/** What a card's cable leads to. @param port of this computer, from which the guest's API is reached by the first card. */
export function netdev({ name, network, port: slot }: Nic, port: number): Qapi {
  switch (network.kind) {
    case 'user':
      // Each is a network of its own, so each has addresses of its own; the first has QEMU's usual ones.
      return {
        ...{ type: 'user', id: name },
        ...(name === firstNic
          ? { hostfwd: [{ str: `tcp:127.0.0.1:${port}-:8443` }] }
          : { net: `10.0.${100 + slot}.0/24`, 'ipv6-prefix': `fec0:0:0:${slot}::` }),
      };
    // A multicast group on the loopback device: nobody has to be there first.
    case 'socket':
      return { type: 'socket', id: name, mcast: `230.0.0.1:${network.port}`, localaddr: '127.0.0.1' };
    case 'hub':
      return { type: 'hubport', id: name, hubid: network.hub };
    case 'cable': {
      const addr = { type: 'unix', path: cableSocket(network.to) };
      return { type: 'stream', id: name, addr, 'reconnect-ms': 1_000 };
    }
    case 'bridge':
      return { type: 'bridge', id: name, br: network.bridge };
  }
}

export function card({ name, mac, port, network }: Nic): Qapi {
  // A bond by LACP takes no card of which it doesn't know the speed.
  const speed = network.kind === 'user' ? {} : { speed: 10_000, duplex: 'full' };
  return { driver: 'virtio-net-pci', bus: `port${port}`, id: cardOf({ name }), netdev: name, mac, ...speed };
}

const device = (value: Qapi): string[] => ['-device', keyed(value)];
const json = (name: string, value: Qapi): string[] => [name, JSON.stringify(value)];

/**
 * Arguments for what everything is plugged into.
 *
 * The ports come first and in order, so that the firmware gives port N the bus N.
 */
export function busArgv(): string[] {
  return [
    ...Array.from({ length: portCount }, (_, index) => device(rootPort(index + 1))).flat(),
    ...device({ driver: 'virtio-scsi-pci', id: 'scsi0', bus: `port${scsiPort}` }),
    ...device({ driver: 'qemu-xhci', id: 'usb', bus: 'pcie.0', addr: '3.0', p2: 15, p3: 15 }),
  ];
}

/** Arguments for all that can be plugged. */
export function pluggedArgv({ drives, nics, port }: Description): string[] {
  const plugged = drives.filter(({ attached }) => attached);
  const sata = plugged.filter(({ bus }) => bus === 'sata');
  return [
    ...plugged.flatMap((drive) => [
      ...json('-blockdev', driveNode(drive)),
      ...(drive.failed ? json('-blockdev', failingNode(drive)) : []),
      ...device(driveDevice(drive, sata.indexOf(drive))),
    ]),
    ...nics.flatMap((nic) => [...json('-netdev', netdev(nic, port)), ...device(card(nic))]),
  ];
}

/** QEMU makes devices that are told in JSON after all others, and they are to come in order. */
function keyed({ driver, ...rest }: Qapi): string {
  const value = (told: unknown): string => (typeof told === 'boolean' ? (told ? 'on' : 'off') : String(told));
  const pairs = Object.entries(rest).map(([name, told]) => `${name}=${value(told)}`);
  return [String(driver), ...pairs].join(',');
}

function rootPort(number: number): Qapi {
  const index = number - 1;
  return {
    ...{ driver: 'pcie-root-port', id: `port${number}`, bus: 'pcie.0', multifunction: true },
    ...{ addr: `${(0x10 + Math.floor(index / 8)).toString(16)}.${index % 8}` },
    ...{ chassis: number, slot: number },
  };
}
