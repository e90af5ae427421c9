/**
 * What networkd does not do by itself when its files change (systemd 257): delete or remake a device, put ports back
 * under a master that was made anew, and let go of a link that it no longer manages.
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { cardMacs } from '../config/hardware-addresses.ts';
import { bondMac, bondName, hostName, physicalName, portName } from '../render/device-names.ts';
import type { LinkDetails } from '../state/ip.ts';
import { readLinks } from '../state/readings.ts';
import type { StaleDevice } from './plan.ts';

/**
 * Deletes devices that are not wanted, or wanted with other settings.
 * @returns the names of those that will be made anew.
 */
export async function removeStaleDevices(
  host: Host,
  stale: readonly StaleDevice[],
  links: readonly LinkDetails[],
): Promise<Set<string>> {
  const present = new Set(links.map(({ name }) => name));
  const remade = new Set<string>();
  for (const device of stale) {
    const { name, removed } = device;
    if (!present.has(name) || keepsGuests(device, links)) continue;
    // A vlan goes with the device below it, which may have been deleted just before.
    await host.programs.run(['ip', 'link', 'delete', 'dev', name]).catch(async (error: unknown) => {
      if ((await readLinks(host)).some((link) => link.name === name)) throw error;
    });
    if (!removed) remade.add(name);
  }
  return remade;
}

/** Whether instances are attached to a bridge that is still wanted: a change of its settings must not cut them off. */
export function keepsGuests({ name, removed, bridge }: StaleDevice, links: readonly LinkDetails[]): boolean {
  return bridge && !removed && links.some((link) => link.master === name && !link.name.startsWith('_'));
}

/** A card that is no longer wanted would stay a port of its bridge or bond. */
export async function releaseCards(host: Host, config: SystemNetworkConfig): Promise<void> {
  const wanted = cardMacs(config);
  for (const { name, permanentMac, master } of await readLinks(host)) {
    const released = name === physicalName(permanentMac) && !wanted.includes(permanentMac);
    if (released && master !== undefined) {
      await host.programs.run(['ip', 'link', 'set', 'dev', name, 'nomaster']);
    }
  }
}

/**
 * The links that have to join or carry a device that was made anew: their own files did not change.
 * @param remade names of the devices; all of them unless given.
 */
export function linksBeside(config: SystemNetworkConfig, remade?: ReadonlySet<string>): string[] {
  const is = (name: string): boolean => remade?.has(name) ?? true;
  const links = new Set<string>();
  for (const { name, hwaddr } of config.interfaces) {
    if (is(name)) links.add(portName(hwaddr)).add(physicalName(hwaddr));
  }
  for (const bond of config.bonds) {
    if (is(bond.name)) links.add(portName(bondMac(bond))).add(bondName(bond.name));
    if (is(bondName(bond.name))) for (const member of bond.members) links.add(physicalName(member));
  }
  for (const { name, parent } of config.vlans) if (is(name)) links.add(hostName(parent));
  return [...links];
}
