/** What a machine uses that nobody configured. */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { NetworkCard } from '../state/ip.ts';
import { compactMac } from '../render/device-names.ts';
import { checkName, shortName } from './names.ts';

/** Every card asks the network for its addresses; no cable is a reason to wait. */
export function defaultConfig(cards: readonly NetworkCard[]): SystemNetworkConfig {
  return SystemNetworkConfig.create({
    time: { timezone: 'UTC' },
    interfaces: cards.map(({ name, mac }) => ({
      name: usableName(name, mac),
      hwaddr: mac,
      addresses: ['dhcp4', 'slaac'],
      required_for_online: 'no',
    })),
  });
}

/** A card's own name, unless it is too long for the devices over it. */
function usableName(name: string, mac: string): string {
  const short = shortName(name);
  const [problem] = checkName(short, { field: '', prefix: '' });
  return problem === undefined ? short : compactMac(mac);
}
