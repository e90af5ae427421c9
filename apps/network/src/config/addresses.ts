/** Rules for addresses and routes (15, 16). */
import { isIP } from 'node:net';
import type { SystemNetworkRoute } from '@incusos/contracts/network';
import { at, type Place, type Violation } from './violation.ts';

/** What an interface can have in the place of an address: a way to get one. */
export const methods: ReadonlySet<string> = new Set(['dhcp4', 'dhcp6', 'slaac']);

/** An address with its prefix length. The contract's pattern lets through what systemd then ignores; this doesn't. */
export function isCidr(text: string): boolean {
  const match = /^([\d.:A-Fa-f]+)\/(\d{1,3})$/u.exec(text);
  if (match === null) return false;
  const family = isIP(match[1] ?? '');
  return family !== 0 && Number(match[2]) <= (family === 4 ? 32 : 128);
}

function problemOf(address: string): string | undefined {
  if (address === '') return 'has empty address';
  return methods.has(address) || isCidr(address)
    ? undefined
    : `invalid IP address '${address}', must provide a CIDR mask`;
}

export function* checkAddresses(addresses: readonly string[], place: Place): Generator<Violation> {
  for (const [index, address] of addresses.entries()) {
    const problem = problemOf(address);
    if (problem !== undefined) yield at(place, `addresses[${index}]`, `address ${index} ${problem}`);
  }
}

/** @param addresses of the same device: a gateway that a method brings needs that method. */
export function* checkRoutes(
  routes: readonly SystemNetworkRoute[],
  addresses: readonly string[],
  place: Place,
): Generator<Violation> {
  for (const [index, route] of routes.entries()) {
    const to =
      problemOf(route.to) ??
      (methods.has(route.to) ? `invalid IP address '${route.to}', must provide a CIDR mask` : undefined);
    if (to !== undefined) yield at(place, `routes[${index}].to`, `route ${index} 'To' ${to}`);
    const via = viaProblem(route, addresses);
    if (via !== undefined) yield at(place, `routes[${index}].via`, `route ${index} 'Via' ${via}`);
  }
}

function viaProblem({ to, via }: SystemNetworkRoute, addresses: readonly string[]): string | undefined {
  if (via === '') return 'has empty address';
  // DHCPv6 brings no gateway, and systemd.network(5) has none to name; routers announce themselves.
  if (via === 'dhcp6') return "can't be 'dhcp6': DHCPv6 announces no gateway, use 'slaac'";
  const six = to.includes(':');
  if (via === 'dhcp4' || via === 'slaac') {
    if (isCidr(to) && six !== (via === 'slaac')) return `'${via}' has no gateway for '${to}'`;
    // systemd-networkd ignores the route where it doesn't listen for leases or router advertisements.
    const sources = via === 'dhcp4' ? ['dhcp4'] : ['slaac', 'dhcp6'];
    return sources.some((source) => addresses.includes(source))
      ? undefined
      : `'${via}' needs '${via}' among the addresses`;
  }
  const family = isIP(via);
  if (family === 0) return `invalid IP address '${via}'`;
  return isCidr(to) && six && family === 4 ? `'${via}' can't be the gateway for '${to}'` : undefined;
}

export function* checkAllowedIps(
  addresses: readonly string[],
  field: string,
  prefix: string,
  place: Place,
): Generator<Violation> {
  for (const [index, address] of addresses.entries()) {
    const problem = problemOf(address);
    if (problem !== undefined)
      yield at(place, `${field}[${index}]`, `${prefix} allowed IP ${index} ${problem}`);
  }
}
