/** Settings of cards and bonds that have no effect, or another one than they seem to have. */
import type {
  SystemNetworkBond,
  SystemNetworkConfig,
  SystemNetworkEthernet,
} from '@incusos/contracts/network';
import { cardLimit, type CardLimits, parentMtu, smallestMtu } from '../render/mtu.ts';
import { devicesOf, placeOf } from './devices-of.ts';
import { at, type Place, type Violation } from './violation.ts';

export function* ethernetWarnings(
  ethernet: SystemNetworkEthernet | undefined,
  place: Place,
): Generator<Violation> {
  if (ethernet === undefined) return;
  const { wakeonlan = false, wakeonlan_modes: modes, wakeonlan_password: password = '' } = ethernet;
  if (!wakeonlan && modes.length > 0)
    yield at(place, 'ethernet.wakeonlan_modes', 'the modes have no effect without wakeonlan');
  if (password !== '' && !(wakeonlan && modes.includes('secureon')))
    yield at(place, 'ethernet.wakeonlan_password', "the password has no effect without the mode 'secureon'");
  if (wakeonlan && modes.includes('secureon') && password === '')
    yield at(place, 'ethernet.wakeonlan_modes', "the mode 'secureon' has no effect without a password");
  if (wakeonlan && modes.includes('off') && modes.length > 1)
    yield at(place, 'ethernet.wakeonlan_modes', "the mode 'off' has no effect beside others");
}

/** The modes that a setting means something in (the kernel's bonding documentation; systemd.netdev(5)). */
const hashModes = ['balance-xor', '802.3ad', 'balance-tlb'];
const usualMiiMs = 100;

export function* bondWarnings(
  { members, mode, options }: SystemNetworkBond,
  place: Place,
): Generator<Violation> {
  if (members.length === 1) yield at(place, 'members', 'one member alone has nothing to fail over to');
  if (options === undefined) return;
  const none = (field: string, why: string): Violation =>
    at(place, `options.${field}`, `option ${field} has no effect ${why}`);
  if ((options.lacp_rate ?? '') !== '' && mode !== '802.3ad') yield none('lacp_rate', `in mode '${mode}'`);
  if ((options.transmit_hash_policy ?? '') !== '' && !hashModes.includes(mode))
    yield none('transmit_hash_policy', `in mode '${mode}'`);
  if (options.arp_ip_targets.length > 0 && (options.arp_interval ?? 0) === 0)
    yield none('arp_ip_targets', 'without arp_interval');
  const { mii_monitor_interval: mii = 0 } = options;
  const interval = mii === 0 ? usualMiiMs : mii;
  for (const field of ['up_delay', 'down_delay'] as const) {
    const delay = options[field] ?? 0;
    const real = delay - (delay % interval);
    if (real === delay) continue;
    yield at(
      place,
      `options.${field}`,
      `option ${field} becomes ${real}, for links are looked at every ${interval} milliseconds`,
    );
  }
}

export function* mtuWarnings(config: SystemNetworkConfig, limits: CardLimits): Generator<Violation> {
  const own = function* (mtu: number | undefined, limit: number, place: Place): Generator<Violation> {
    if ((mtu ?? 0) > limit)
      yield at(place, 'mtu', `MTU ${mtu ?? 0} becomes ${limit}, which is all that its hardware takes`);
  };
  for (const [index, { mtu, hwaddr }] of config.interfaces.entries())
    yield* own(mtu, cardLimit(hwaddr, limits), placeOf('interface', 'interfaces', index));
  for (const [index, { mtu, members }] of config.bonds.entries()) {
    const limit = Math.min(...members.map((member) => cardLimit(member, limits)));
    yield* own(mtu, limit, placeOf('bond', 'bonds', index));
  }
  for (const [index, { mtu = 0, parent }] of config.vlans.entries()) {
    const limit = parentMtu(config, parent, limits);
    if (limit !== undefined && mtu > limit) {
      const message = `MTU ${mtu} becomes ${limit}, which is that of '${parent}' below it`;
      yield at(placeOf('vlan', 'vlans', index), 'mtu', message);
    }
  }
  for (const { device, place } of devicesOf(config)) {
    const { mtu = 0, addresses } = device;
    if (mtu > 0 && mtu < smallestMtu && addresses.length > 0)
      yield at(place, 'mtu', `MTU ${mtu} becomes ${smallestMtu}, which IPv6 needs`);
  }
}
