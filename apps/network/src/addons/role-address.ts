import { isIP } from 'node:net';
import type { SystemNetworkInterfaceState } from '@incusos/contracts/network';

/** The first address of the devices with a role, by their names; IPv4 before IPv6. `undefined` when none has one. */
export function addressWithRole(
  interfaces: Readonly<Record<string, SystemNetworkInterfaceState>>,
  role: string,
): string | undefined {
  const addresses = Object.entries(interfaces)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .filter(([, { roles }]) => roles.includes(role))
    .flatMap(([, state]) => state.addresses);
  return addresses.find((address) => isIP(address) === 4) ?? addresses.find((address) => isIP(address) === 6);
}
