/** Asks the machine for its drives, in parallel where one answer doesn't need another. */
import type { SystemStorageDrive } from '@incusos/contracts/storage';
import type { Host } from '@incusos/host';
import { driveKeyNames } from '../keys.ts';
import { readConnections } from './connections.ts';
import { DeviceLinks } from './device-links.ts';
import type { HealthCache } from './health-cache.ts';
import { identify, listDrives } from './drive-list.ts';
import { listDrives as listDrivesArgv, listMounts, parseDrives, parseRootDisk } from './lsblk.ts';

export interface DriveSurvey {
  readonly drives: readonly SystemStorageDrive[];
  readonly links: DeviceLinks;
  readonly rootDisk: string | undefined;
}

export async function surveyDrives(host: Host, healthCache: HealthCache): Promise<DriveSurvey> {
  const [listing, mounts, links, encrypted] = await Promise.all([
    host.programs.run(listDrivesArgv),
    host.programs.run(listMounts),
    DeviceLinks.read(host.files),
    driveKeyNames(host.files),
  ]);
  const devices = parseDrives(listing.stdout);
  const rootDisk = parseRootDisk(mounts.stdout);
  const nodes = identify(devices, links).map(({ device }) => device.node);
  const [health, connections] = await Promise.all([
    healthCache.ask(host, nodes),
    readConnections(host.files, devices),
  ]);
  return {
    drives: listDrives({ devices, links, health, connections, rootDisk, encrypted }),
    links,
    rootDisk,
  };
}
