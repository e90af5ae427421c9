/** What `ip -j` prints (iproute2 6.x), field for field as the real one orders them. */
import { broadcastOf } from './addressing.ts';
import { hasCarrier, infoKind, linkByIndex, maxMtu, nicOf } from './kernel.ts';
import { addressesOf, countersOf, type LiveAddress, type LiveRoute, routesOf } from './live.ts';
import type { Link, NetworkSection } from './section.ts';

const forever = 4_294_967_295;

export interface JsonOptions {
  readonly details: boolean;
  readonly statistics: boolean;
  readonly family?: 4 | 6 | undefined;
}

function basics(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  const below = linkByIndex(section, link.parent ?? link.peer);
  return {
    ifindex: link.index,
    ...(below === undefined ? {} : { link: below.name }),
    ifname: link.name,
    flags: flagsOf(section, link),
    mtu: link.mtu,
    qdisc: link.up ? (link.kind === 'ether' ? 'fq_codel' : 'noqueue') : 'noop',
    ...(link.master === undefined ? {} : { master: linkByIndex(section, link.master)?.name }),
    operstate: link.kind === 'loopback' ? 'UNKNOWN' : hasCarrier(section, link) ? 'UP' : 'DOWN',
  };
}

function hardware(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  const nic = nicOf(section, link);
  const type = link.kind === 'loopback' ? 'loopback' : link.kind === 'wireguard' ? 'none' : 'ether';
  return {
    txqlen: 1000,
    link_type: type,
    ...(type === 'none'
      ? {}
      : { address: link.mac, broadcast: link.kind === 'loopback' ? link.mac : 'ff:ff:ff:ff:ff:ff' }),
    // The kernel mentions the permanent address only where it isn't the one in use.
    ...(nic === undefined || nic.mac === link.mac ? {} : { permaddr: nic.mac }),
  };
}

export function flagsOf(section: Readonly<NetworkSection>, link: Link): string[] {
  const carrier = hasCarrier(section, link);
  const kind =
    link.kind === 'loopback'
      ? ['LOOPBACK']
      : link.kind === 'wireguard'
        ? ['POINTOPOINT', 'NOARP']
        : ['BROADCAST', 'MULTICAST'];
  if (link.up && !carrier) kind.unshift('NO-CARRIER');
  return [...kind, ...(link.up ? ['UP'] : []), ...(carrier ? ['LOWER_UP'] : [])];
}

/** @param more what is told of links and not of addresses. */
function details(
  section: Readonly<NetworkSection>,
  link: Link,
  more: Record<string, unknown> = {},
): Record<string, unknown> {
  const nic = nicOf(section, link);
  const kind = infoKind(link.kind);
  return {
    promiscuity: 0,
    allmulti: 0,
    min_mtu: link.kind === 'loopback' || link.kind === 'vlan' || link.kind === 'wireguard' ? 0 : 68,
    max_mtu: link.kind === 'loopback' ? 0 : maxMtu(section, link),
    ...linkInfo(section, link, kind),
    ...more,
    num_tx_queues: 1,
    num_rx_queues: 1,
    gso_max_size: 65_536,
    gso_max_segs: 65_535,
    tso_max_size: 524_280,
    tso_max_segs: 65_535,
    gro_max_size: 65_536,
    gso_ipv4_max_size: 65_536,
    gro_ipv4_max_size: 65_536,
    ...(nic === undefined
      ? {}
      : {
          parentbus: 'virtio',
          parentdev: `virtio${link.index}`,
        }),
  };
}

/** A port has it too, where it is no virtual device itself. */
function linkInfo(
  section: Readonly<NetworkSection>,
  link: Link,
  kind: string | undefined,
): Record<string, unknown> {
  const master = linkByIndex(section, link.master);
  if (kind === undefined && master === undefined) return {};
  return {
    linkinfo: {
      ...(kind === undefined ? {} : { info_kind: kind, ...infoData(section, link) }),
      ...(master === undefined ? {} : { info_slave_kind: master.kind }),
    },
  };
}

function statistics(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  const { rx, tx } = countersOf(section, link);
  const counters = (bytes: number, more: Record<string, number>): Record<string, number> => ({
    bytes,
    packets: Math.floor(bytes / 64),
    errors: 0,
    dropped: 0,
    ...more,
  });
  return {
    rx: counters(rx, { over_errors: 0, multicast: 0 }),
    tx: counters(tx, { carrier_errors: 0, collisions: 0 }),
  };
}

function infoData(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  if (link.kind === 'vlan')
    return { info_data: { protocol: '802.1Q', id: link.vlan_id, flags: ['REORDER_HDR'] } };
  if (link.kind === 'bridge') return { info_data: { vlan_filtering: 1, stp_state: 0 } };
  if (link.kind !== 'bond') return {};
  const lacp = link.bond_mode === '802.3ad' && hasCarrier(section, link);
  const partner = {
    aggregator: 1,
    num_ports: 1,
    actor_key: 15,
    partner_key: 1,
    partner_mac: section.lan.neighbour.chassis_id,
  };
  return {
    info_data: { mode: link.bond_mode ?? 'balance-rr', miimon: 0, ...(lacp ? { ad_info: partner } : {}) },
  };
}

export function linkJson(
  section: Readonly<NetworkSection>,
  link: Link,
  options: JsonOptions,
): Record<string, unknown> {
  return {
    ...basics(section, link),
    linkmode: 'DEFAULT',
    group: 'default',
    ...hardware(section, link),
    ...(options.details ? details(section, link, { inet6_addr_gen_mode: 'none' }) : {}),
    ...(options.statistics ? { stats64: statistics(section, link) } : {}),
  };
}

/** udev's name for a card by its address. */
function otherNames(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  const nic = nicOf(section, link);
  return nic === undefined ? {} : { altnames: [`enx${nic.mac.replaceAll(':', '')}`] };
}

export function addressesJson(
  section: Readonly<NetworkSection>,
  link: Link,
  options: JsonOptions,
): Record<string, unknown> {
  const addresses = addressesOf(section, link).filter(
    ({ family }) => options.family === undefined || family === options.family,
  );
  return {
    ...basics(section, link),
    group: 'default',
    ...hardware(section, link),
    ...(options.details ? details(section, link) : {}),
    ...otherNames(section, link),
    addr_info: addresses.map((address) => addressJson(link, address)),
    ...(options.statistics ? { stats64: statistics(section, link) } : {}),
  };
}

function addressJson(
  link: Link,
  { family, address, length, scope, lifetime, source }: LiveAddress,
): Record<string, unknown> {
  return {
    family: family === 4 ? 'inet' : 'inet6',
    local: address,
    prefixlen: length,
    ...(source === 'DHCPv4' ? { metric: 100 } : {}),
    ...(family === 4 && scope === 'global' && length < 31 ? { broadcast: broadcastOf(address, length) } : {}),
    scope,
    ...(lifetime === undefined ? {} : { dynamic: true }),
    ...(source === 'NDisc' ? { mngtmpaddr: true } : {}),
    ...(source === 'NDisc' || (family === 6 && scope === 'host') ? { noprefixroute: true } : {}),
    ...(family === 4 ? { label: link.name } : {}),
    valid_life_time: lifetime ?? forever,
    preferred_life_time: lifetime ?? forever,
  };
}

/** One route as `ip -j route show` has it; `dev` is left out when the question named it. */
export type RouteJson = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export function routesJson(
  section: Readonly<NetworkSection>,
  family: 4 | 6,
  dev: Link | undefined,
): RouteJson[] {
  const links = dev === undefined ? section.links : [dev];
  return links.flatMap((link) =>
    routesOf(section, link)
      .filter((route) => route.family === family)
      .map((route) => routeJson(link, route, dev === undefined)),
  );
}

function routeJson(link: Link, route: LiveRoute, withDevice: boolean): RouteJson {
  const { family, to, via, protocol, metric, source } = route;
  return {
    dst: to,
    ...(via === undefined ? {} : { gateway: via }),
    ...(withDevice ? { dev: link.name } : {}),
    protocol,
    ...(family === 4 && via === undefined ? { scope: 'link' } : {}),
    ...(source === undefined ? {} : { prefsrc: source }),
    ...(metric === undefined ? {} : { metric }),
    flags: [],
    ...(family === 6 ? { pref: 'medium' } : {}),
  };
}
