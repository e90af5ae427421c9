/**
 * systemd-networkd: makes the devices of the .netdev files and configures links by the first .network file that
 * matches. A key it doesn't know and a value it can't use are ignored with a line in the journal, as the real one does.
 */
import { createHash } from 'node:crypto';
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { parseCidr } from './addressing.ts';
import { addLink, findLink, maxMtu, randomMac, removeLink } from './kernel.ts';
import { isIP } from 'node:net';
import type { AppliedNetwork, AppliedRoute, Link, LinkKind, NetworkSection } from './section.ts';
import { showLinks } from './sysfs.ts';
import { flag, matches, readUnitFiles, type UnitFile, valueOf, valuesOf } from './unit-file.ts';
import { unknownKeys } from './unit-keys.ts';
import { wireguardOf } from './wireguard.ts';

/** `networkctl reload` and the start of the service: new devices are made, links whose file changed are configured. */
export async function reloadNetworkd(machine: EmulatedMachine, files: Files): Promise<string[]> {
  const [netdevs, networks] = await Promise.all([
    readUnitFiles(files, '.netdev'),
    readUnitFiles(files, '.network'),
  ]);
  const warnings = [...netdevs, ...networks].flatMap(unknownKeys);
  await machine.change(({ network: section }) => {
    for (const netdev of netdevs) makeDevice(section, netdev, warnings);
    // Configuring a link may put vlans on top of it, whose turn comes then.
    const done = new Set<number>();
    for (
      let link = section.links[0];
      link !== undefined;
      link = section.links.find(({ index }) => !done.has(index))
    ) {
      done.add(link.index);
      configure(section, link, networks, netdevs, warnings);
    }
  });
  await showLinks(machine);
  return warnings;
}

const kinds: ReadonlySet<string> = new Set(['bridge', 'veth', 'vlan', 'bond', 'wireguard']);

function isKind(text: string): text is LinkKind {
  return kinds.has(text);
}

function makeDevice(section: NetworkSection, file: UnitFile, warnings: string[]): void {
  const name = valueOf(file, 'NetDev', 'Name');
  const kind = valueOf(file, 'NetDev', 'Kind');
  if (name === undefined || kind === undefined) {
    warnings.push(
      `${file.path}: NetDev without ${name === undefined ? 'Name' : 'Kind'}= configured. Ignoring`,
    );
    return;
  }
  if (!isKind(kind)) {
    warnings.push(`${file.path}: Failed to parse netdev kind, ignoring: ${kind}`);
    return;
  }
  const existing = findLink(section, name);
  if (existing !== undefined) {
    if (existing.kind !== kind)
      warnings.push(`${name}: netdev exists, but its kind is ${existing.kind}, not ${kind}`);
    else if (kind === 'wireguard')
      existing.wireguard = wireguardOf(file, warnings, existing.wireguard?.listen_port);
    return;
  }
  // A vlan is made when the link below it is configured.
  if (kind === 'vlan') return;
  const mac = valueOf(file, 'NetDev', 'MACAddress')?.toLowerCase() ?? randomMac();
  const link = addLink(section, { name, kind, mac, mtu: kind === 'wireguard' ? 1420 : 1500, up: false });
  if (kind === 'wireguard') link.wireguard = wireguardOf(file, warnings);
  const mode = valueOf(file, 'Bond', 'Mode');
  if (mode !== undefined) link.bond_mode = mode;
  if (kind === 'veth') {
    const peerName = valueOf(file, 'Peer', 'Name') ?? `veth${section.next_index}`;
    const peer = addLink(section, {
      name: peerName,
      kind,
      mac: randomMac(),
      mtu: 1500,
      up: false,
      peer: link.index,
    });
    link.peer = peer.index;
  }
}

function configure(
  section: NetworkSection,
  link: Link,
  networks: readonly UnitFile[],
  netdevs: readonly UnitFile[],
  warnings: string[],
): void {
  if (link.kind === 'loopback') return;
  const file = networks.find((network) =>
    matches(network, { name: link.name, permanentMac: link.nic, mac: link.mac }),
  );
  if (file === undefined) {
    // A link that is no longer managed stays where it is, as a port of a bridge too.
    delete link.network;
    return;
  }
  const digest = createHash('sha256').update(file.text).digest('hex');
  // A link whose file was not written again is not touched, even when its master was made anew meanwhile.
  const before =
    link.network?.file === file.path && link.network.digest === digest ? link.network : undefined;
  if (before?.modified === file.modified) return;
  const master = findLink(
    section,
    valueOf(file, 'Network', 'Bridge') ?? valueOf(file, 'Network', 'Bond') ?? '',
  );
  if (master === undefined) delete link.master;
  else link.master = master.index;
  link.up = true;
  for (const name of valuesOf(file, 'Network', 'VLAN')) stackVlan(section, link, name, netdevs, warnings);
  const mtu = Number(valueOf(file, 'Link', 'MTUBytes') ?? link.mtu);
  const limit = maxMtu(section, link);
  if (mtu > limit) warnings.push(`${link.name}: Could not set MTU ${mtu}: it is above ${limit}, ignoring`);
  else link.mtu = mtu;
  const network = settingsOf(file, digest, warnings);
  // A lease goes on when all is as it was.
  link.network = before === undefined ? network : { ...network, since: before.since };
}

function stackVlan(
  section: NetworkSection,
  parent: Link,
  name: string,
  netdevs: readonly UnitFile[],
  warnings: string[],
): void {
  const file = netdevs.find(
    (netdev) => valueOf(netdev, 'NetDev', 'Name') === name && valueOf(netdev, 'NetDev', 'Kind') === 'vlan',
  );
  if (file === undefined) {
    warnings.push(`${parent.name}: VLAN=${name}: there is no such netdev, ignoring`);
    return;
  }
  const id = Number(valueOf(file, 'VLAN', 'Id') ?? Number.NaN);
  if (!Number.isInteger(id) || id < 0 || id > 4094) {
    warnings.push(`${file.path}: Failed to parse VLAN id, ignoring: ${id}`);
    return;
  }
  const existing = findLink(section, name);
  if (existing !== undefined) {
    if (existing.kind === 'vlan' && existing.parent === parent.index) return;
    if (existing.kind === 'vlan') removeLink(section, existing);
    else return;
  }
  addLink(section, {
    name,
    kind: 'vlan',
    mac: parent.mac,
    mtu: parent.mtu,
    up: false,
    parent: parent.index,
    vlan_id: id,
  });
}

function settingsOf(file: UnitFile, digest: string, warnings: string[]): AppliedNetwork {
  const dhcp = valueOf(file, 'Network', 'DHCP') ?? 'no';
  const linkLocal = valueOf(file, 'Network', 'LinkLocalAddressing') ?? 'ipv6';
  const family = valueOf(file, 'Link', 'RequiredFamilyForOnline') ?? 'any';
  const usable = (values: string[], what: string, test: (value: string) => boolean): string[] =>
    values.filter((value) => {
      if (test(value)) return true;
      warnings.push(`${file.path}: Failed to parse ${what}, ignoring: ${value}`);
      return false;
    });
  const hasLinkLocal = linkLocal === 'ipv6' || flag(linkLocal, false);
  return {
    file: file.path,
    digest,
    modified: file.modified,
    since: new Date().toISOString(),
    addresses: usable(
      valuesOf(file, 'Network', 'Address'),
      'address',
      (value) => parseCidr(value) !== undefined,
    ),
    dhcp4: dhcp === 'ipv4' || flag(dhcp, false),
    dhcp6: dhcp === 'ipv6' || flag(dhcp, false),
    // Without a link-local address there is nobody to hear the router.
    accept_ra: hasLinkLocal && flag(valueOf(file, 'Network', 'IPv6AcceptRA'), true),
    link_local: hasLinkLocal,
    routes: routesOfFile(file, warnings),
    dns: usable(
      valuesOf(file, 'Network', 'DNS').flatMap((value) => value.split(/\s+/u)),
      'DNS server address',
      isServer,
    ),
    domains: valuesOf(file, 'Network', 'Domains').flatMap((value) => value.split(/\s+/u)),
    ntp: valuesOf(file, 'Network', 'NTP').flatMap((value) => value.split(/\s+/u)),
    lldp: flag(valueOf(file, 'Network', 'LLDP'), true),
    required: flag(valueOf(file, 'Link', 'RequiredForOnline'), true),
    family: family === 'ipv4' || family === 'ipv6' || family === 'both' ? family : 'any',
  };
}

/** An address, with a port and a server name where wanted (systemd.network(5), DNS=). */
function isServer(text: string): boolean {
  const [address = ''] = text.split('#');
  return (
    isIP(address) !== 0 ||
    isIP(address.replace(/:\d+$/u, '')) === 4 ||
    isIP(/^\[(.+)\](?::\d+)?$/u.exec(address)?.[1] ?? '') === 6
  );
}

function routesOfFile(file: UnitFile, warnings: string[]): AppliedRoute[] {
  const routes: AppliedRoute[] = [];
  for (const { name, entries } of file.sections) {
    if (name !== 'Route') continue;
    const settings = new Map(entries);
    const via = settings.get('Gateway');
    const to =
      settings.get('Destination') ??
      (via?.includes(':') === true || via === '_ipv6ra' ? '::/0' : '0.0.0.0/0');
    const known = via === undefined || via === '_dhcp4' || via === '_ipv6ra' || isIP(via) !== 0;
    if (!known || parseCidr(to) === undefined) {
      warnings.push(
        `${file.path}: Invalid ${known ? `route destination ${to}` : `gateway address ${via}`}, ignoring the route`,
      );
      continue;
    }
    const silent = via === undefined ? undefined : silentGateway(file, via);
    if (silent !== undefined) {
      warnings.push(
        `${file.path}: Gateway="${via}" is specified but ${silent} is disabled. Ignoring [Route] section.`,
      );
      continue;
    }
    routes.push(via === undefined ? { to } : { to, via });
  }
  return routes;
}

/** What would have to tell the gateway of a route, and was not asked for. */
function silentGateway(file: UnitFile, via: string): string | undefined {
  const dhcp = valueOf(file, 'Network', 'DHCP') ?? 'no';
  if (via === '_dhcp4' && dhcp !== 'ipv4' && !flag(dhcp, false)) return 'DHCPv4 client';
  if (via === '_ipv6ra' && !flag(valueOf(file, 'Network', 'IPv6AcceptRA'), true)) return 'IPv6AcceptRA=';
  return undefined;
}
