/** Makes the list of drives out of what the tools and udev say. */
import { SystemStorageDrive } from '@incusos/contracts/storage';
import { type DeviceLinks, diskNode } from './device-links.ts';
import type { BlockDevice } from './lsblk.ts';
import type { DriveHealth } from './smartctl.ts';

/** Virtual media of the management controllers of servers: there, but not the machine's. */
const virtualMedia = [
  'usb-Linux_Virtual_',
  'usb-Generic-_SD_MMC_CRW',
  'usb-Cisco_',
  'usb-AMI_Virtual_',
  'usb-iDRAC_Virtual_',
];

/** How a drive is connected, where that isn't plain from its bus. */
export interface Connection {
  readonly remote: boolean;
  readonly multipath: boolean;
}

export interface DriveFacts {
  readonly devices: readonly BlockDevice[];
  readonly links: DeviceLinks;
  readonly health: ReadonlyMap<string, DriveHealth>;
  readonly connections: ReadonlyMap<string, Connection>;
  readonly rootDisk: string | undefined;
  /** Names, without a directory, of drives that have a key file. */
  readonly encrypted: ReadonlySet<string>;
}

/** The devices of a listing that are drives, and the name each goes by. */
export function identify(
  devices: readonly BlockDevice[],
  links: DeviceLinks,
): { device: BlockDevice; id: string }[] {
  return devices.flatMap((device) => {
    const { idLink, node } = device;
    if (idLink === undefined || virtualMedia.some((prefix) => idLink.startsWith(prefix))) return [];
    if (node.startsWith('/dev/dm-')) return [];
    const id = links.idOf(node);
    return id === undefined ? [] : [{ device, id }];
  });
}

/** The drives, sorted by id, without what they are used for by pools. */
export function listDrives({
  devices,
  links,
  health,
  connections,
  rootDisk,
  encrypted,
}: DriveFacts): SystemStorageDrive[] {
  const drives = identify(devices, links).map(({ device, id }) => {
    const known = health.get(device.node);
    const base = id.slice(id.lastIndexOf('/') + 1);
    const isEncrypted = encrypted.has(base);
    return SystemStorageDrive.create({
      id,
      model_family: known?.modelFamily ?? '',
      model_name: known?.modelName ?? '',
      serial_number: known?.serialNumber ?? '',
      bus: known?.bus ?? '',
      capacity_in_bytes: device.size,
      boot: device.node === rootDisk,
      multipath: connections.get(device.node)?.multipath ?? false,
      removable: device.removable,
      remote: connections.get(device.node)?.remote ?? false,
      ...wwn(device, links),
      smart: known?.smart,
      ...(isEncrypted ? { encrypted: true, encrypted_id: `/dev/mapper/luks-${base}` } : {}),
    });
  });
  return drives.toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

function wwn({ wwn: name, subsystems }: BlockDevice, links: DeviceLinks): { wwn?: string; wwn_id?: string } {
  if (name === undefined) return {};
  if (name.startsWith('0x')) return { wwn: name, wwn_id: `/dev/disk/by-id/wwn-${name}` };
  const link = `/dev/disk/by-id/nvme-${name}`;
  return subsystems.includes('nvme') && links.has(link) ? { wwn: name, wwn_id: link } : {};
}

/** Adds to each drive the pool that it, or a partition of it, belongs to. */
export function withMembership(
  drives: readonly SystemStorageDrive[],
  links: DeviceLinks,
  members: ReadonlyMap<string, string>,
): SystemStorageDrive[] {
  const pools = new Map<string, string>();
  for (const [device, pool] of members) {
    const node = links.node(device);
    if (node !== undefined) pools.set(diskNode(node), pool);
  }
  return drives.map((drive) => {
    // A pool on an encrypted drive has its mapping as the member.
    const mapped = drive.encrypted_id === undefined ? undefined : members.get(drive.encrypted_id);
    const pool = mapped ?? pools.get(links.node(drive.id) ?? drive.id);
    return pool === undefined ? drive : { ...drive, member_pool: pool };
  });
}
