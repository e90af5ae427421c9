/** Devices, addresses and routes from `ip -j` (iproute2). */
import { isObject, number, objects, parseJson, strings, text } from './json.ts';

export interface LinkAddress {
  readonly address: string;
  readonly scope: string;
}

/** A device as `ip -j -d address show` gives it. */
export interface LinkDetails {
  readonly name: string;
  readonly otherNames: readonly string[];
  /** Present address, lower case; empty for devices without one. */
  readonly mac: string;
  readonly permanentMac: string;
  readonly mtu: number;
  /** 0 where the driver names no limit. */
  readonly maxMtu: number;
  /** `ether`, `loopback`, … */
  readonly type: string;
  /** `bridge`, `veth`, …; absent for hardware. */
  readonly kind: string | undefined;
  /** Name of the bridge or bond that it is a port of. */
  readonly master: string | undefined;
  readonly addresses: readonly LinkAddress[];
}

/** A piece of hardware that can be configured. */
export interface NetworkCard {
  readonly name: string;
  readonly otherNames: readonly string[];
  /** Permanent address, lower case. */
  readonly mac: string;
  readonly maxMtu: number;
}

export interface Route {
  readonly dev: string;
  readonly to: string;
  /** Empty for a route without gateway. */
  readonly via: string;
}

export function parseLinks(output: string): LinkDetails[] {
  return objects(parseJson(output, 'ip address')).map((link) => {
    const info = link['linkinfo'];
    const mac = (text(link, 'address') ?? '').toLowerCase();
    return {
      name: text(link, 'ifname') ?? '',
      otherNames: strings(link, 'altnames'),
      mac,
      permanentMac: (text(link, 'permaddr') ?? mac).toLowerCase(),
      mtu: number(link, 'mtu') ?? 0,
      maxMtu: number(link, 'max_mtu') ?? 0,
      type: text(link, 'link_type') ?? '',
      kind: isObject(info) ? text(info, 'info_kind') : undefined,
      master: text(link, 'master'),
      addresses: objects(link['addr_info']).map((entry) => ({
        address: text(entry, 'local') ?? '',
        scope: text(entry, 'scope') ?? '',
      })),
    };
  });
}

/** Physical cards, by the order of the kernel. */
export function cardsOf(links: readonly LinkDetails[]): NetworkCard[] {
  return links
    .filter(({ type, kind }) => type === 'ether' && kind === undefined)
    .map(({ name, otherNames, permanentMac, maxMtu }) => ({ name, otherNames, mac: permanentMac, maxMtu }));
}

/** Routes of `ip -j route show`; those that only say where link-local and multicast traffic goes are left out. */
export function parseRoutes(output: string): Route[] {
  return objects(parseJson(output, 'ip route'))
    .map((route) => ({ dev: text(route, 'dev') ?? '', to: text(route, 'dst') ?? '', via: gatewayOf(route) }))
    .filter(({ to }) => to !== '' && !/^(?:fe80|ff)/iu.test(to));
}

/** An IPv4 route over an IPv6 gateway has it under `via`. */
function gatewayOf(route: Readonly<Record<string, unknown>>): string {
  const via = route['via'];
  return text(route, 'gateway') ?? (isObject(via) ? text(via, 'host') : undefined) ?? '';
}

/**
 * Cards under the names that people know them by: those that a configuration renamed get their earlier one back, as
 * another name.
 * @param names earlier names by MAC.
 */
export function withEarlierNames(
  cards: readonly NetworkCard[],
  names: Readonly<Record<string, string>>,
): NetworkCard[] {
  const taken = new Set(cards.map(({ name }) => name));
  return cards.map((card) => {
    const earlier = names[card.mac];
    return earlier === undefined || taken.has(earlier)
      ? card
      : { ...card, otherNames: [...card.otherNames, earlier] };
  });
}

/** The names to remember, old ones included. */
export function rememberNames(
  cards: readonly NetworkCard[],
  names: Readonly<Record<string, string>>,
): Record<string, string> {
  const own = cards.filter(({ name }) => !name.startsWith('_')).map(({ mac, name }) => [mac, name] as const);
  return { ...names, ...Object.fromEntries(own) };
}
