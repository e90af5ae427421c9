/** All files of a configuration, as a pure function of it and of what the cards take. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { bondLinks, interfaceLink } from './link.ts';
import { bondDevices, interfaceDevices, vlanDevice, wireguardDevice } from './netdev.ts';
import { bondNetworks, interfaceNetworks, vlanNetwork, wireguardNetwork } from './network.ts';
import type { CardLimits } from './mtu.ts';

/** Where networkd and udev read them. Lost at power-off, so that nothing outlives the configuration it came from. */
export const networkDirectory = '/run/systemd/network';

/**
 * The files by name.
 * @throws MtuError when a card takes too little.
 */
export function renderFiles(config: SystemNetworkConfig, limits: CardLimits): Map<string, string> {
  return new Map([
    ...config.interfaces.flatMap((entry) => [
      ...interfaceLink(entry, limits),
      ...interfaceDevices(entry),
      ...interfaceNetworks(entry, config, limits),
    ]),
    ...config.bonds.flatMap((bond) => [
      ...bondLinks(bond, limits),
      ...bondDevices(bond),
      ...bondNetworks(bond, config, limits),
    ]),
    ...config.vlans.flatMap((vlan) => [...vlanDevice(vlan), ...vlanNetwork(vlan, config, limits)]),
    ...config.wireguard.flatMap((tunnel) => [...wireguardDevice(tunnel), ...wireguardNetwork(tunnel)]),
  ]);
}
