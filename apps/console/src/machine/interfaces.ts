/** The network devices that the screen shows. */
import type { SystemNetworkState } from '@incusos/contracts/network';
import type { Interface } from '../screen/view.ts';

/** By name; IPv4 addresses first, since people type these. Devices that are configured by nobody are left out. */
export function interfacesOf(state: SystemNetworkState | undefined): Interface[] {
  return Object.entries(state?.interfaces ?? {})
    .filter(([, { type, addresses }]) => type !== 'physical' || addresses.length > 0)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { addresses, state: operational }]) => ({
      name,
      addresses: addresses.toSorted((a, b) => Number(a.includes(':')) - Number(b.includes(':'))),
      state: operational,
    }));
}
