/** Plugging things into a machine that runs, and pulling them out. */
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../../../image/tools/sentence.ts';
import type { Qmp } from '../qmp.ts';
import {
  card,
  cardOf,
  deviceOf,
  driveDevice,
  driveNode,
  failingNode,
  failingNodeOf,
  netdev,
  nodeOf,
  nvmeDegraded,
} from './devices.ts';
import type { Drive } from './drive.ts';
import type { Nic } from './nic.ts';

/** A guest that runs lets go of a PCI device at once; without acceleration and busy it takes its time. */
const releaseMs = 60_000;
const nodeMs = 10_000;

export async function plugDrive(qmp: Qmp, drive: Drive): Promise<void> {
  const nodes = [driveNode(drive), ...(drive.failed ? [failingNode(drive)] : [])];
  const added: string[] = [];
  try {
    for (const node of nodes) {
      await qmp.ask('blockdev-add', node);
      added.unshift(String(node['node-name']));
    }
    await qmp.ask('device_add', driveDevice(drive));
  } catch (error) {
    for (const name of added) await qmp.ask('blockdev-del', { 'node-name': name }).catch(() => undefined);
    throw error;
  }
}

export async function unplugDrive(qmp: Qmp, drive: Drive): Promise<void> {
  await unplug(qmp, deviceOf(drive), `drive '${drive.id}'`);
  if (drive.failed) await removeNode(qmp, failingNodeOf(drive));
  await removeNode(qmp, nodeOf(drive));
}

/** A device that is gone is taken apart a moment later. */
async function removeNode(qmp: Qmp, name: string): Promise<void> {
  const end = Date.now() + nodeMs;
  for (;;) {
    try {
      await qmp.ask('blockdev-del', { 'node-name': name });
      return;
    } catch (error) {
      if (Date.now() > end) throw error;
    }
    await sleep(50);
  }
}

/** From now on every access to the drive is an I/O error. */
export async function failDrive(qmp: Qmp, drive: Drive): Promise<void> {
  await qmp.ask('blockdev-add', failingNode(drive));
  const path = `/machine/peripheral/${deviceOf(drive)}`;
  try {
    await qmp.ask('qom-set', { path, property: 'drive', value: failingNodeOf(drive) });
  } catch (error) {
    await qmp.ask('blockdev-del', { 'node-name': failingNodeOf(drive) }).catch(() => undefined);
    throw error;
  }
  if (drive.bus === 'nvme')
    await qmp.ask('qom-set', { path, property: 'smart_critical_warning', value: nvmeDegraded });
}

/** @param port of this computer, from which the guest's API is reached by the first card. */
export async function plugNic(qmp: Qmp, nic: Nic, port: number): Promise<void> {
  const { type, ...options } = netdev(nic, port);
  await qmp.ask('netdev_add', { type, ...options });
  try {
    await qmp.ask('device_add', card(nic));
  } catch (error) {
    await qmp.ask('netdev_del', { id: nic.name }).catch(() => undefined);
    throw error;
  }
}

export async function unplugNic(qmp: Qmp, nic: Nic): Promise<void> {
  await unplug(qmp, cardOf(nic), `NIC ${nic.name}`);
  await qmp.ask('netdev_del', { id: nic.name });
}

export async function setLink(qmp: Qmp, nic: Nic): Promise<void> {
  await qmp.ask('set_link', { name: cardOf(nic), up: nic.link === 'up' });
}

/** Pulls a device out, which the guest's kernel has a part in when it is on PCI. */
async function unplug(qmp: Qmp, device: string, what: string): Promise<void> {
  await qmp.ask('device_del', { id: device });
  const end = Date.now() + releaseMs;
  while (await isThere(qmp, device)) {
    if (Date.now() > end)
      throw new UserError(
        `the guest has not let go of ${what} within ${releaseMs / 1_000} s; one that has not started its kernel can't`,
      );
    await sleep(100);
  }
}

async function isThere(qmp: Qmp, device: string): Promise<boolean> {
  const devices = (await qmp.ask('qom-list', { path: '/machine/peripheral' })) as readonly { name: string }[];
  return devices.some(({ name }) => name === device);
}
