/** Rules for addresses and routes (15, 16, and which of them can't be on a device). */
import type { SystemNetworkConfig, SystemNetworkRoute } from '@incusos/contracts/network';
import { devicesOf } from './devices-of.ts';
import { isLinkLocal, isNoUnicast, parseIp, parseSubnet } from './ip.ts';
import { at, type Place, type Violation } from './violation.ts';

/** What an interface can have in the place of an address: a way to get one. */
export const methods: ReadonlySet<string> = new Set(['dhcp4', 'dhcp6', 'slaac']);

/** An address with its prefix length. The contract's pattern lets through what systemd then ignores; this doesn't. */
export function isCidr(text: string): boolean {
  return parseSubnet(text) !== undefined;
}

function problemOf(address: string): string | undefined {
  if (address === '') return 'has empty address';
  return methods.has(address) || isCidr(address) ? undefined : noMask(address);
}

function noMask(address: string): string {
  return `invalid IP address '${address}', must provide a CIDR mask`;
}

export function* checkAddresses(addresses: readonly string[], place: Place): Generator<Violation> {
  for (const [index, address] of addresses.entries()) {
    const problem = problemOf(address) ?? unusable(address);
    if (problem !== undefined) yield at(place, `addresses[${index}]`, `address ${index} ${problem}`);
  }
}

/** systemd takes one of its own choice for 0.0.0.0, and the kernel refuses a group's. */
function unusable(address: string): string | undefined {
  const subnet = parseSubnet(address);
  return subnet !== undefined && isNoUnicast(subnet)
    ? `'${address}' can't be the address of a device`
    : undefined;
}

/** One address on two devices makes one of them unreachable; link-local ones are for each link alone. */
export function* checkUniqueAddresses(config: SystemNetworkConfig): Generator<Violation> {
  const owners = new Map<string, string>();
  for (const { device, kind, place } of devicesOf(config)) {
    const own = `${kind} '${device.name}'`;
    for (const [index, address] of device.addresses.entries()) {
      const subnet = parseSubnet(address);
      if (subnet === undefined) continue;
      const scope = isLinkLocal(subnet) ? place.field : '';
      const key = `${subnet.family} ${subnet.value} ${scope}`;
      const owner = owners.get(key);
      owners.set(key, owner ?? own);
      if (owner !== undefined) {
        yield at(
          place,
          `addresses[${index}]`,
          `address ${index} '${address}' is already an address of ${owner}`,
        );
      }
    }
  }
}

/** @param addresses of the same device: a gateway that a method brings needs that method. */
export function* checkRoutes(
  routes: readonly SystemNetworkRoute[],
  addresses: readonly string[],
  place: Place,
): Generator<Violation> {
  for (const [index, route] of routes.entries()) {
    const to = problemOf(route.to) ?? (methods.has(route.to) ? noMask(route.to) : undefined);
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
  const gateway = parseIp(via);
  if (gateway === undefined) return `invalid IP address '${via}'`;
  if (isCidr(to) && six && gateway.family === 4) return `'${via}' can't be the gateway for '${to}'`;
  if (isNoUnicast(gateway)) return `'${via}' can't be a gateway`;
  // The kernel refuses a gateway that is the machine itself.
  const own = addresses.map(parseSubnet).some((subnet) => {
    return subnet?.family === gateway.family && subnet.value === gateway.value;
  });
  return own ? `'${via}' is an address of the device itself` : undefined;
}

export function* checkAllowedIps(
  addresses: readonly string[],
  field: string,
  prefix: string,
  place: Place,
): Generator<Violation> {
  for (const [index, address] of addresses.entries()) {
    const problem = problemOf(address) ?? (methods.has(address) ? noMask(address) : undefined);
    if (problem !== undefined)
      yield at(place, `${field}[${index}]`, `${prefix} allowed IP ${index} ${problem}`);
  }
}
