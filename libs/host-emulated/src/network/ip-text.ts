/** What `ip` prints for people. */
import { broadcastOf } from './addressing.ts';
import { flagsOf, type RouteJson } from './ip-json.ts';
import { hasCarrier, linkByIndex, nicOf } from './kernel.ts';
import { addressesOf } from './live.ts';
import type { Link, NetworkSection } from './section.ts';

export function linkText(section: Readonly<NetworkSection>, link: Link): string {
  const below = linkByIndex(section, link.parent ?? link.peer);
  const master = linkByIndex(section, link.master);
  const nic = nicOf(section, link);
  const state = link.kind === 'loopback' ? 'UNKNOWN' : hasCarrier(section, link) ? 'UP' : 'DOWN';
  const type = link.kind === 'loopback' ? 'loopback' : link.kind === 'wireguard' ? 'none' : 'ether';
  const permanent = nic === undefined || nic.mac === link.mac ? '' : ` permaddr ${nic.mac}`;
  return (
    `${link.index}: ${link.name}${below === undefined ? '' : `@${below.name}`}: <${flagsOf(section, link).join(',')}> mtu ${link.mtu} qdisc ` +
    `${link.up ? 'noqueue' : 'noop'}${master === undefined ? '' : ` master ${master.name}`} state ${state} group default qlen 1000\n` +
    `    link/${type} ${link.mac} brd ${link.kind === 'loopback' ? link.mac : 'ff:ff:ff:ff:ff:ff'}${permanent}\n`
  );
}

export function addressesText(
  section: Readonly<NetworkSection>,
  link: Link,
  family: 4 | 6 | undefined,
): string {
  return addressesOf(section, link)
    .filter((address) => family === undefined || address.family === family)
    .map(({ family: own, address, length, scope, lifetime }) => {
      const life = lifetime === undefined ? 'forever' : `${lifetime}sec`;
      const broadcast =
        own === 4 && scope === 'global' && length < 31 ? ` brd ${broadcastOf(address, length)}` : '';
      return (
        `    inet${own === 6 ? '6' : ''} ${address}/${length}${broadcast} scope ${scope}${lifetime === undefined ? '' : ' dynamic'}` +
        `${own === 4 ? ` ${link.name}` : ''}\n       valid_lft ${life} preferred_lft ${life}\n`
      );
    })
    .join('');
}

export function routeText(route: RouteJson): string {
  const value = (key: string): string => [route[key] ?? []].flat().join(',');
  const part = (name: string, key: string): string => (value(key) === '' ? '' : ` ${name} ${value(key)}`);
  return `${value('dst')}${part('via', 'gateway')}${part('dev', 'dev')}${part('proto', 'protocol')}${part('scope', 'scope')}${part('src', 'prefsrc')}${part('metric', 'metric')} \n`;
}
