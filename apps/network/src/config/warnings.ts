/**
 * What a valid configuration says that is likely not what was meant. Nothing of it is refused: a machine can be set up
 * on purpose like that, and what is wrong today may be right with tomorrow's cabling.
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { CardLimits } from '../render/mtu.ts';
import { addressWarnings, overlapWarnings, routeWarnings } from './address-warnings.ts';
import { closedWarnings } from './firewall-warnings.ts';
import { bondWarnings, ethernetWarnings, mtuWarnings } from './hardware-warnings.ts';
import { devicesOf, placeOf } from './devices-of.ts';
import { parseSubnet } from './ip.ts';
import { at, type Violation } from './violation.ts';

/**
 * @param config valid, with MACs in the place of names.
 * @param limits of the machine's cards, to tell which MTUs they don't take.
 */
export function* configWarnings(
  config: SystemNetworkConfig,
  limits: CardLimits = new Map(),
): Generator<Violation> {
  const devices = devicesOf(config);
  for (const { device, place } of devices) {
    yield* addressWarnings(device, place);
    yield* routeWarnings(device, place);
  }
  yield* overlapWarnings(devices);
  yield* closedWarnings(devices);
  yield* mtuWarnings(config, limits);
  for (const [index, { ethernet }] of config.interfaces.entries())
    yield* ethernetWarnings(ethernet, placeOf('interface', 'interfaces', index));
  for (const [index, bond] of config.bonds.entries()) {
    const place = placeOf('bond', 'bonds', index);
    yield* ethernetWarnings(bond.ethernet, place);
    yield* bondWarnings(bond, place);
  }
  for (const [index, { id }] of config.vlans.entries()) {
    if (id === 0)
      yield at(placeOf('vlan', 'vlans', index), 'id', "ID 0 marks a frame's priority and belongs to no VLAN");
  }
  yield* reachWarnings(config);
}

/** What the machine as a whole would be without. */
function* reachWarnings(config: SystemNetworkConfig): Generator<Violation> {
  const all = devicesOf(config).map(({ device }) => device);
  const addresses = new Set(all.flatMap((device) => device.addresses));
  const field = 'config';
  if (addresses.size === 0) {
    yield { field, message: 'no device has an address: the machine can only be reached at its console' };
    return;
  }
  const told = ['dhcp4', 'dhcp6', 'slaac'].some((method) => addresses.has(method));
  if (!told && (config.dns?.nameservers ?? []).length === 0) {
    yield {
      field: 'config.dns.nameservers',
      message: 'no name server is configured, and no device asks for one',
    };
  }
  // DHCPv6 brings no routes, but is asked beside router advertisements.
  const routed = told || all.some(({ routes }) => routes.some(({ to }) => parseSubnet(to)?.prefix === 0));
  if (!routed) yield { field, message: 'no device has a default route, and none asks for one' };
}
