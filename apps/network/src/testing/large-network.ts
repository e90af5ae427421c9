/** A network as large as they come: 64 cards with an interface each, 32 in 16 bonds, and 200 VLANs above them. */
import { SystemNetworkConfig } from '@incusos/contracts/network';

const interfaces = 64;
const bonds = 16;
const vlans = 200;

/** Names of all cards that it needs, in the order of their MACs. */
export const largeCards: readonly string[] = Array.from(
  { length: interfaces + 2 * bonds },
  (_, index) => `enp${5 + index}s0`,
);

function cardMac(index: number): string {
  return `10:66:6a:00:00:${(index + 1).toString(16).padStart(2, '0')}`;
}

/** @param addresses of the first interface. */
export function largeNetwork(addresses: string[] = ['dhcp4', 'slaac']): SystemNetworkConfig {
  return SystemNetworkConfig.fromPartial({
    interfaces: Array.from({ length: interfaces }, (_, index) => ({
      name: `lan${index}`,
      hwaddr: cardMac(index),
      lldp: true,
      addresses: index === 0 ? addresses : [`10.${index}.0.2/24`, `2001:db8:${index}::2/64`],
      required_for_online: index === 0 ? 'ipv4' : 'no',
    })),
    bonds: Array.from({ length: bonds }, (_, index) => ({
      name: `bond${index}`,
      mode: '802.3ad',
      lldp: true,
      members: [cardMac(interfaces + 2 * index), cardMac(interfaces + 2 * index + 1)],
      addresses: [`10.100.${index}.2/24`],
      required_for_online: 'no',
    })),
    vlans: Array.from({ length: vlans }, (_, index) => ({
      name: `vlan${index}`,
      id: 10 + index,
      parent: index % 2 === 0 ? `bond${index % bonds}` : `lan${index % interfaces}`,
      addresses: [`10.200.${index}.2/24`],
      required_for_online: 'no',
    })),
  });
}
