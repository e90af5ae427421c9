/** Roles that devices have without being given any, so that there always is a way to manage the machine. */
import type { SystemNetworkInterfaceState } from '@incusos/contracts/network';

/**
 * Where nothing manages the machine, everything that is reachable does; where nothing is for the cluster, what manages
 * is. Only the state is changed.
 */
export function addDefaultRoles(states: Readonly<Record<string, SystemNetworkInterfaceState>>): void {
  const all = Object.values(states);
  const has = (role: string): boolean => all.some(({ roles }) => roles.includes(role));
  if (!has('management'))
    for (const state of all) if (state.state === 'routable') state.roles.push('management');
  if (!has('cluster'))
    for (const state of all) if (state.roles.includes('management')) state.roles.push('cluster');
}
