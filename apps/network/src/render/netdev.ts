/** `.netdev` files: bridges, veth pairs, bonds, vlans and tunnels (systemd.netdev(5)). */
import type {
  SystemNetworkBond,
  SystemNetworkBridge,
  SystemNetworkInterface,
  SystemNetworkVLAN,
  SystemNetworkWireguard,
  SystemNetworkWireguardPeer,
} from '@incusos/contracts/network';
import { networkText } from '../config/ip.ts';
import { bondMac, bondName, hostName, portName } from './device-names.ts';
import type { Files } from './link.ts';
import { type Section, section, unitText } from './unit-text.ts';

export function interfaceDevices({ name, hwaddr, bridge }: SystemNetworkInterface): Files {
  return [
    [`10-${name}.netdev`, bridgeFile(name, bridge)],
    [`10-${hostName(name)}.netdev`, vethFile(name, hwaddr)],
  ];
}

export function bondDevices(bond: SystemNetworkBond): Files {
  return [
    [`11-${bondName(bond.name)}.netdev`, bondFile(bond)],
    [`11-${bond.name}.netdev`, bridgeFile(bond.name, bond.bridge)],
    [`11-${hostName(bond.name)}.netdev`, vethFile(bond.name, bondMac(bond))],
  ];
}

export function vlanDevice({ name, id }: SystemNetworkVLAN): Files {
  return [
    [
      `12-${name}.netdev`,
      unitText(section('NetDev', `Name=${name}`, 'Kind=vlan'), section('VLAN', `Id=${id}`)),
    ],
  ];
}

export function wireguardDevice({ name, private_key: key, port, peers }: SystemNetworkWireguard): Files {
  return [
    [
      `13-${name}.netdev`,
      unitText(
        section('NetDev', `Name=${name}`, 'Kind=wireguard'),
        section('WireGuard', setting('PrivateKey', given(key)), setting('ListenPort', positive(port))),
        ...peers.map(peerSection),
      ),
    ],
  ];
}

function peerSection(peer: SystemNetworkWireguardPeer): Section {
  return section(
    'WireGuardPeer',
    `PublicKey=${peer.public_key}`,
    // networkd would do the same, with a warning.
    peer.allowed_ips.map((network) => `AllowedIPs=${networkText(network)}`),
    setting('PresharedKey', given(peer.preshared_key)),
    setting('Endpoint', given(peer.endpoint)),
    setting('PersistentKeepalive', positive(peer.persistent_keepalive)),
  );
}

function bridgeFile(name: string, bridge: SystemNetworkBridge | undefined): string {
  return unitText(
    section('NetDev', `Name=${name}`, 'Kind=bridge'),
    section(
      'Bridge',
      'VLANFiltering=true',
      bridge?.disable_multicast_snooping === true ? 'MulticastSnooping=false' : undefined,
      bridge?.stp === true ? 'STP=true' : undefined,
    ),
  );
}

function vethFile(name: string, mac: string): string {
  return unitText(
    section('NetDev', `Name=${hostName(name)}`, 'Kind=veth', `MACAddress=${mac}`),
    section('Peer', `Name=${portName(mac)}`),
  );
}

/** What a mode gets where the options don't say otherwise. */
const modeDefaults: Readonly<Record<string, { readonly hash?: string; readonly lacp?: string }>> = {
  '802.3ad': { hash: 'layer3+4', lacp: 'fast' },
};
/** In no mode does the kernel take a member out of use whose link it doesn't watch. */
const usualMii = '100ms';

function bondFile({ name, mode, options }: SystemNetworkBond): string {
  const defaults = modeDefaults[mode] ?? {};
  const hash = given(options?.transmit_hash_policy) ?? defaults.hash;
  const lacp = given(options?.lacp_rate) ?? defaults.lacp;
  // The kernel watches links by MII or by ARP, not by both.
  const mii =
    milliseconds(options?.mii_monitor_interval) ??
    (milliseconds(options?.arp_interval) === undefined ? usualMii : undefined);
  return unitText(
    section('NetDev', `Name=${bondName(name)}`, 'Kind=bond'),
    section(
      'Bond',
      `Mode=${mode}`,
      setting('TransmitHashPolicy', hash),
      setting('LACPTransmitRate', lacp),
      setting('MIIMonitorSec', mii),
      setting('UpDelaySec', milliseconds(options?.up_delay)),
      setting('DownDelaySec', milliseconds(options?.down_delay)),
      setting('ARPIntervalSec', milliseconds(options?.arp_interval)),
      options === undefined || options.arp_ip_targets.length === 0
        ? undefined
        : `ARPIPTargets=${options.arp_ip_targets.join(' ')}`,
    ),
  );
}

function setting(key: string, value: string | undefined): string | undefined {
  return value === undefined ? undefined : `${key}=${value}`;
}

function positive(value: number | undefined): string | undefined {
  return value === undefined || value === 0 ? undefined : String(value);
}

function given(value: string | undefined): string | undefined {
  return value === '' ? undefined : value;
}

function milliseconds(value: number | undefined): string | undefined {
  return value === undefined || value === 0 ? undefined : `${value}ms`;
}
