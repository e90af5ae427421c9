/** `.network` files: addresses, routes and the places of ports (systemd.network(5)). */
import type {
  SystemNetworkBond,
  SystemNetworkConfig,
  SystemNetworkInterface,
  SystemNetworkRoute,
  SystemNetworkVLAN,
  SystemNetworkWireguard,
} from '@incusos/contracts/network';
import { methods } from '../config/addresses.ts';
import type { Device } from '../config/device.ts';
import { bondMac, bondName, hostName, physicalName, portName } from './device-names.ts';
import type { Files } from './link.ts';
import { addressMtu, bondMtu, cardMtu, type CardLimits, parentMtu } from './mtu.ts';
import { type Section, section, unitText } from './unit-text.ts';

export function interfaceNetworks(
  entry: SystemNetworkInterface,
  config: SystemNetworkConfig,
  limits: CardLimits,
): Files {
  const { name, hwaddr, lldp = false } = entry;
  const max = cardMtu(hwaddr, limits);
  const tags = bridgeVlans(entry, config);
  return [
    [
      `20-${hostName(name)}.network`,
      addressFile(hostName(name), entry, config, addressMtu(entry.mtu, max), vlansOf(name, config)),
    ],
    [`20-${portName(hwaddr)}.network`, portFile(portName(hwaddr), max, [`Bridge=${name}`], tags)],
    [
      `20-${physicalName(hwaddr)}.network`,
      portFile(physicalName(hwaddr), max, [`LLDP=${lldp}`, `EmitLLDP=${lldp}`, `Bridge=${name}`], tags),
    ],
    [`20-${name}.network`, silentFile(name, max, [], [])],
  ];
}

export function bondNetworks(
  bond: SystemNetworkBond,
  config: SystemNetworkConfig,
  limits: CardLimits,
): Files {
  const { name, lldp = false, members } = bond;
  const max = bondMtu(members, limits);
  const tags = bridgeVlans(bond, config);
  const port = portName(bondMac(bond));
  return [
    [
      `21-${hostName(name)}.network`,
      addressFile(hostName(name), bond, config, addressMtu(bond.mtu, max), vlansOf(name, config)),
    ],
    [`21-${port}.network`, portFile(port, max, [`Bridge=${name}`], tags)],
    [`21-${name}.network`, silentFile(name, max, [], [])],
    ...members.map((member, index) => {
      const lines = [`LLDP=${lldp}`, `EmitLLDP=${lldp}`, `Bond=${bondName(name)}`];
      return [
        `21-${bondName(name)}-dev${index}.network`,
        portFile(physicalName(member), cardMtu(member, limits), lines, []),
      ] as const;
    }),
    [`21-${bondName(name)}.network`, silentFile(bondName(name), max, [`Bridge=${name}`], tags)],
  ];
}

export function vlanNetwork(vlan: SystemNetworkVLAN, config: SystemNetworkConfig, limits: CardLimits): Files {
  const mtu = addressMtu(vlan.mtu, parentMtu(config, vlan.parent, limits));
  return [[`22-${vlan.name}.network`, addressFile(vlan.name, vlan, config, mtu, [])]];
}

/** What the network is asked for on other devices, a tunnel isn't: names, the time, and whether the machine is online. */
export function wireguardNetwork(tunnel: SystemNetworkWireguard): Files {
  const { name, mtu, addresses, routes } = tunnel;
  return [
    [
      `23-${name}.network`,
      unitText(
        section('Match', `Name=${name}`),
        section('Link', `MTUBytes=${addressMtu(mtu)}`),
        section('Network', addressLines(addresses)),
        ...routes.map((route) => routeSection(route, addresses)),
      ),
    ],
  ];
}

/** The device that carries addresses. */
function addressFile(
  name: string,
  device: Device,
  config: SystemNetworkConfig,
  mtu: number,
  vlans: readonly string[],
): string {
  return unitText(
    section('Match', `Name=${name}`),
    section('Link', onlineLines(device), `MTUBytes=${mtu}`),
    // A lease's MTU is not for us: networkd takes it only where none is set.
    section('DHCP', 'ClientIdentifier=mac', 'RouteMetric=100'),
    section('DHCPv6', 'WithoutRA=solicit'),
    section(
      'Network',
      ...vlans.map((vlan) => `VLAN=${vlan}`),
      dnsLines(config),
      timeLines(config),
      addressLines(device.addresses),
    ),
    ...device.routes.map((route) => routeSection(route, device.addresses)),
  );
}

/** A port of a bridge or bond. */
function portFile(name: string, mtu: number, lines: readonly string[], tags: readonly Section[]): string {
  return unitText(
    section('Match', `Name=${name}`),
    section('Link', `MTUBytes=${mtu}`),
    section('Network', lines),
    ...tags,
  );
}

/** A device without addresses that is up in any case. */
function silentFile(name: string, mtu: number, lines: readonly string[], tags: readonly Section[]): string {
  return portFile(name, mtu, ['LinkLocalAddressing=no', 'ConfigureWithoutCarrier=yes', ...lines], tags);
}

function onlineLines({ addresses, required_for_online: required = '' }: Device): string[] {
  if (addresses.length === 0 || required === 'no') return ['RequiredForOnline=no'];
  return ['RequiredForOnline=yes', `RequiredFamilyForOnline=${required === '' ? 'any' : required}`];
}

function dnsLines({ dns }: SystemNetworkConfig): string[] {
  if (dns === undefined) return [];
  return [
    ...(dns.search_domains.length === 0 ? [] : [`Domains=${dns.search_domains.join(' ')}`]),
    ...dns.nameservers.map((server) => `DNS=${server}`),
    ...(dns.dns_over_tls === true ? ['DNSOverTLS=yes'] : []),
  ];
}

function timeLines({ time }: SystemNetworkConfig): string[] {
  return (time?.ntp_servers ?? []).map((server) => `NTP=${server}`);
}

function addressLines(addresses: readonly string[]): string[] {
  const [dhcp4, dhcp6, slaac] = ['dhcp4', 'dhcp6', 'slaac'].map((method) => addresses.includes(method));
  const dhcp = dhcp4 === true ? (dhcp6 === true ? 'yes' : 'ipv4') : dhcp6 === true ? 'ipv6' : undefined;
  return [
    ...(addresses.length > 0
      ? ['LinkLocalAddressing=ipv6']
      : ['LinkLocalAddressing=no', 'ConfigureWithoutCarrier=yes']),
    ...addresses.filter((address) => !methods.has(address)).map((address) => `Address=${address}`),
    `IPv6AcceptRA=${slaac === true || dhcp6 === true}`,
    ...(dhcp === undefined ? [] : [`DHCP=${dhcp}`]),
  ];
}

const gateways: Readonly<Record<string, string>> = { dhcp4: '_dhcp4', slaac: '_ipv6ra' };

/** @param addresses of the same device. */
function routeSection({ to, via, onlink }: SystemNetworkRoute, addresses: readonly string[]): Section {
  // Without an address of its own, networkd would do so by itself, with a warning.
  const alone = gateways[via] === undefined && addresses.every((address) => methods.has(address));
  return section(
    'Route',
    `Gateway=${gateways[via] ?? via}`,
    `Destination=${to}`,
    onlink === true || alone ? 'GatewayOnLink=true' : undefined,
  );
}

function vlansOf(parent: string, config: SystemNetworkConfig): string[] {
  return config.vlans.filter((vlan) => vlan.parent === parent).map(({ name }) => name);
}

/** Every tag that frames may carry: the configured ones and those of all vlans above. Id 0 means no tag. */
function bridgeVlans(
  device: { readonly name: string; readonly vlan_tags: readonly number[] },
  config: SystemNetworkConfig,
): Section[] {
  const above = config.vlans.filter(({ parent }) => parent === device.name).map(({ id }) => id);
  const ids = [...new Set([...device.vlan_tags, ...above])].filter((id) => id > 0).toSorted((a, b) => a - b);
  return ids.map((id) => section('BridgeVLAN', `VLAN=${id}`));
}
