/**
 * Addresses, routes and states as they are at an instant. Nothing here is kept: what a lease or a router
 * advertisement brings follows from when the link was configured, and from the network it is plugged into.
 */
import { eui64, hostAddress, networkOf, parseCidr, stableNumber } from './addressing.ts';
import { hasCarrier, nicOf, portsOf, wayOut } from './kernel.ts';
import type { Link, NetworkSection } from './section.ts';

/** How long a DHCP exchange and router advertisements take on the emulated network, in milliseconds. */
export const dhcpDelayMs = 80;
export const advertisementDelayMs = 120;

export interface LiveAddress {
  readonly family: 4 | 6;
  readonly address: string;
  readonly length: number;
  readonly scope: 'host' | 'link' | 'global';
  /** Seconds that a lease is valid for; absent for a permanent address. */
  readonly lifetime?: number;
  readonly source: 'foreign' | 'static' | 'DHCPv4' | 'DHCPv6' | 'NDisc';
}

export interface LiveRoute {
  readonly family: 4 | 6;
  /** CIDR or `default`. */
  readonly to: string;
  readonly via?: string;
  readonly protocol: 'kernel' | 'static' | 'dhcp' | 'ra';
  readonly metric?: number;
  readonly source?: string;
}

/** When the DHCP lease and the advertisement of a link arrive; `undefined` when its frames don't reach the LAN. */
export function configuredSince(section: Readonly<NetworkSection>, link: Link): number | undefined {
  const nic = wayOut(section, link);
  if (nic === undefined || link.network === undefined || link.kind === 'vlan') return undefined;
  return Math.max(Date.parse(link.network.since), Date.parse(nic.link_since));
}

function leased(section: Readonly<NetworkSection>, link: Link, now: number): boolean {
  const since = configuredSince(section, link);
  return since !== undefined && now - since >= dhcpDelayMs;
}

function advertised(section: Readonly<NetworkSection>, link: Link, now: number): boolean {
  const since = configuredSince(section, link);
  return since !== undefined && now - since >= advertisementDelayMs;
}

export function addressesOf(section: Readonly<NetworkSection>, link: Link, now = Date.now()): LiveAddress[] {
  if (link.kind === 'loopback') {
    return [
      { family: 4, address: '127.0.0.1', length: 8, scope: 'host', source: 'foreign' },
      { family: 6, address: '::1', length: 128, scope: 'host', source: 'foreign' },
    ];
  }
  const { network } = link;
  if (network === undefined || link.master !== undefined) return [];
  const { ipv4, ipv6 } = section.lan;
  const found: LiveAddress[] = [];
  for (const text of network.addresses) {
    const cidr = parseCidr(text);
    if (cidr !== undefined) found.push({ ...cidr, scope: 'global', source: 'static' });
  }
  if (network.dhcp4 && ipv4 !== null && leased(section, link, now)) {
    const address = hostAddress(ipv4.network, ipv4.pool_start + stableNumber(link.mac, 100));
    const length = parseCidr(ipv4.network)?.length ?? 24;
    found.push({ family: 4, address, length, scope: 'global', lifetime: ipv4.lease_time, source: 'DHCPv4' });
  }
  if (network.accept_ra && ipv6 !== null && advertised(section, link, now)) {
    found.push({
      family: 6,
      address: eui64(ipv6.prefix, link.mac),
      length: 64,
      scope: 'global',
      lifetime: 86_400,
      source: 'NDisc',
    });
  }
  if (network.dhcp6 && ipv6?.dhcp === true && advertised(section, link, now)) {
    const address = hostAddress(ipv6.prefix, 0x1000 + stableNumber(link.mac, 0xe000));
    found.push({ family: 6, address, length: 128, scope: 'global', lifetime: 3600, source: 'DHCPv6' });
  }
  if (network.link_local && hasCarrier(section, link)) {
    found.push({
      family: 6,
      address: eui64('fe80::/64', link.mac),
      length: 64,
      scope: 'link',
      source: 'foreign',
    });
  }
  return found.toSorted((a, b) => a.family - b.family);
}

export function routesOf(section: Readonly<NetworkSection>, link: Link, now = Date.now()): LiveRoute[] {
  const { network } = link;
  if (network === undefined || link.master !== undefined || !hasCarrier(section, link)) return [];
  const { ipv4, ipv6 } = section.lan;
  const routes: LiveRoute[] = [];
  for (const { address, length, family, scope, source } of addressesOf(section, link, now)) {
    if (source === 'DHCPv4' && ipv4 !== null) {
      routes.push({
        family: 4,
        to: 'default',
        via: ipv4.gateway,
        protocol: 'dhcp',
        metric: 100,
        source: address,
      });
      routes.push({
        family: 4,
        to: networkOf(address, length),
        protocol: 'kernel',
        metric: 100,
        source: address,
      });
    } else if (source === 'NDisc' && ipv6 !== null) {
      routes.push({ family: 6, to: networkOf(address, length), protocol: 'ra', metric: 100 });
      routes.push({ family: 6, to: 'default', via: ipv6.router, protocol: 'ra', metric: 100 });
    } else if (family === 4)
      routes.push({ family, to: networkOf(address, length), protocol: 'kernel', source: address });
    else if (scope === 'link' || length < 128)
      routes.push({ family, to: networkOf(address, length), protocol: 'kernel', metric: 256 });
  }
  for (const { to, via } of network.routes) {
    const family = to.includes(':') || via?.includes(':') === true ? 6 : 4;
    const gateway = gatewayOf(section, link, via, now);
    // Without a lease or an advertisement there is no gateway to put in, and no route.
    if (via !== undefined && gateway === undefined) continue;
    routes.push({
      family,
      to: defaultName(to),
      ...(gateway === undefined ? {} : { via: gateway }),
      protocol: 'static',
      ...(family === 6 ? { metric: 1024 } : {}),
    });
  }
  return routes;
}

function gatewayOf(
  section: Readonly<NetworkSection>,
  link: Link,
  via: string | undefined,
  now: number,
): string | undefined {
  if (via === '_dhcp4') return leased(section, link, now) ? section.lan.ipv4?.gateway : undefined;
  if (via === '_ipv6ra') return advertised(section, link, now) ? section.lan.ipv6?.router : undefined;
  return via;
}

function defaultName(to: string): string {
  return to === '0.0.0.0/0' || to === '::/0' ? 'default' : to;
}

/** The name servers a link uses: its own, or those that DHCP and router advertisements brought. */
export function nameServersOf(section: Readonly<NetworkSection>, link: Link, now = Date.now()): string[] {
  const { network } = link;
  if (network === undefined) return [];
  const { ipv4, ipv6 } = section.lan;
  return [
    ...network.dns,
    ...(network.dhcp4 && leased(section, link, now) ? (ipv4?.dns ?? []) : []),
    ...(network.accept_ra && advertised(section, link, now) ? (ipv6?.dns ?? []) : []),
  ];
}

export type OperationalState =
  'off' | 'no-carrier' | 'degraded-carrier' | 'carrier' | 'degraded' | 'routable' | 'enslaved';
export type AddressState = 'off' | 'degraded' | 'routable';

export interface LinkState {
  readonly operational: OperationalState;
  readonly carrier: 'off' | 'no-carrier' | 'degraded-carrier' | 'carrier' | 'enslaved';
  readonly address: AddressState;
  readonly ipv4: AddressState;
  readonly ipv6: AddressState;
  readonly online: 'online' | 'offline' | 'partial' | null;
  readonly setup: 'unmanaged' | 'configuring' | 'configured';
}

/** What networkd says of a link (networkctl(1), "operational state"). */
export function stateOf(section: Readonly<NetworkSection>, link: Link, now = Date.now()): LinkState {
  const addresses = addressesOf(section, link, now);
  const state = (family: 4 | 6): AddressState => {
    const own = addresses.filter((entry) => entry.family === family);
    if (own.some(({ scope }) => scope === 'global')) return 'routable';
    return own.some(({ scope }) => scope === 'link') ? 'degraded' : 'off';
  };
  const [ipv4, ipv6] = [state(4), state(6)];
  const address = [ipv4, ipv6].includes('routable')
    ? 'routable'
    : [ipv4, ipv6].includes('degraded')
      ? 'degraded'
      : 'off';
  const carrier = carrierState(section, link);
  const operational = carrier === 'carrier' ? (address === 'off' ? 'carrier' : address) : carrier;
  const { network } = link;
  const setup =
    network === undefined ? 'unmanaged' : waits(section, link, now) ? 'configuring' : 'configured';
  return {
    operational,
    carrier,
    address,
    ipv4,
    ipv6,
    online: onlineState(link, operational, ipv4, ipv6),
    setup,
  };
}

function carrierState(section: Readonly<NetworkSection>, link: Link): LinkState['carrier'] {
  if (!link.up) return 'off';
  if (!hasCarrier(section, link)) return 'no-carrier';
  if (link.master !== undefined) return 'enslaved';
  return portsOf(section, link).some((port) => !hasCarrier(section, port)) ? 'degraded-carrier' : 'carrier';
}

function waits(section: Readonly<NetworkSection>, link: Link, now: number): boolean {
  const { network } = link;
  return (
    network !== undefined && network.dhcp4 && network.addresses.length === 0 && !leased(section, link, now)
  );
}

function onlineState(
  link: Link,
  operational: OperationalState,
  ipv4: AddressState,
  ipv6: AddressState,
): LinkState['online'] {
  const { network } = link;
  if (network === undefined || !network.required) return null;
  if (operational === 'enslaved') return 'online';
  // Nothing more is wanted of a device that is to have no address.
  const silent = !network.link_local && !network.dhcp4 && network.addresses.length === 0;
  if (silent && operational === 'carrier') return 'online';
  if (operational !== 'routable' && operational !== 'degraded') return 'offline';
  const has = { ipv4: ipv4 !== 'off', ipv6: ipv6 !== 'off' };
  switch (network.family) {
    case 'any':
      return 'online';
    case 'ipv4':
      return has.ipv4 ? 'online' : 'offline';
    case 'ipv6':
      return has.ipv6 ? 'online' : 'offline';
    case 'both':
      return has.ipv4 && has.ipv6 ? 'online' : 'partial';
  }
}

/** Bytes a link carried: it is a quiet network, which hears a little every second. */
export function countersOf(
  section: Readonly<NetworkSection>,
  link: Link,
  now = Date.now(),
): { rx: number; tx: number } {
  const seconds = link.up ? Math.max(0, Math.floor((now - Date.parse(link.created)) / 1000)) : 0;
  return nicOf(section, link) === undefined
    ? { rx: seconds * 64, tx: seconds * 48 }
    : { rx: seconds * 96, tx: seconds * 56 };
}
