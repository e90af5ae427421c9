/** Rules that every kind of device shares (3 to 17). */
import type { SystemNetworkFirewallRule, SystemNetworkRoute } from '@incusos/contracts/network';
import { checkAddresses, checkRoutes } from './addresses.ts';
import { checkFirewallRules } from './firewall-rules.ts';
import { checkName } from './names.ts';
import { at, type Place, type Violation } from './violation.ts';

/** What interfaces, bonds, vlans and wireguard have in common. */
export interface Device {
  readonly name: string;
  readonly mtu?: number | undefined;
  readonly addresses: readonly string[];
  readonly routes: readonly SystemNetworkRoute[];
  readonly roles: readonly string[];
  readonly required_for_online?: string | undefined;
  readonly firewall_rules: readonly SystemNetworkFirewallRule[];
}

const largestMtu = 9000;
const roleNames = ['management', 'cluster', 'instances', 'storage'];
const onlineValues = ['', 'ipv4', 'ipv6', 'both', 'any', 'no'];

export function* checkDevice(device: Device, place: Place): Generator<Violation> {
  yield* checkName(device.name, place);
  const { mtu = 0, required_for_online: online = '' } = device;
  if (mtu < 0 || mtu > largestMtu) yield at(place, 'mtu', 'MTU out of range');
  yield* checkRoles(device.roles, place);
  yield* checkFirewallRules(device.firewall_rules, place);
  yield* checkAddresses(device.addresses, place);
  yield* checkRoutes(device.routes, device.addresses, place);
  if (!onlineValues.includes(online))
    yield at(place, 'required_for_online', `invalid RequiredForOnline value '${online}'`);
}

function* checkRoles(roles: readonly string[], place: Place): Generator<Violation> {
  for (const [index, role] of roles.entries()) {
    if (!roleNames.includes(role)) yield at(place, `roles[${index}]`, `role "${role}" is unsupported`);
    if (roles.indexOf(role) < index)
      yield at(place, `roles[${index}]`, `role "${role}" is listed multiple times`);
  }
}

export function* checkVlanTags(tags: readonly number[], place: Place): Generator<Violation> {
  for (const [index, tag] of tags.entries()) {
    // The bridge takes 1 to 4094 (systemd.network(5), BridgeVLAN VLAN=).
    if (tag < 1 || tag > 4094) yield at(place, `vlan_tags[${index}]`, `VLAN tag ${tag} out of range`);
  }
}
