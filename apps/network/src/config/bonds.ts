/** Rules for bonds (18 to 21, and what systemd.netdev(5) takes in `[Bond]`). */
import { isIPv4 } from 'node:net';
import type { SystemNetworkBond, SystemNetworkBondOptions } from '@incusos/contracts/network';
import { checkDevice, checkVlanTags } from './device.ts';
import { checkEthernet } from './ethernet.ts';
import { checkHardwareAddress } from './hardware-addresses.ts';
import { at, type Pass, type Place, type Violation } from './violation.ts';

const modes = [
  'balance-rr',
  'active-backup',
  'balance-xor',
  'broadcast',
  '802.3ad',
  'balance-tlb',
  'balance-alb',
];
const hashPolicies = ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4', 'vlan+srcmac'];
/** The kernel takes as many (BOND_MAX_ARP_TARGETS). */
const mostArpTargets = 16;

export function* checkBond(bond: SystemNetworkBond, place: Place, pass: Pass): Generator<Violation> {
  yield* checkDevice(bond, place);
  const { hwaddr = '', members, mode } = bond;
  if (hwaddr !== '') yield* checkHardwareAddress(hwaddr, 'hwaddr', place, pass);
  if (!modes.includes(mode)) yield at(place, 'mode', `invalid Mode value '${mode}'`);
  if (members.length === 0) yield at(place, 'members', 'has no members');
  for (const [index, member] of members.entries()) {
    const prefix = `${place.prefix}member ${index} `;
    yield* checkHardwareAddress(member, `members[${index}]`, { field: place.field, prefix }, pass);
  }
  yield* checkVlanTags(bond.vlan_tags, place);
  yield* checkEthernet(bond.ethernet, place);
  if (bond.options !== undefined) yield* checkOptions(bond.options, mode, place);
}

function* checkOptions(options: SystemNetworkBondOptions, mode: string, place: Place): Generator<Violation> {
  for (const field of ['arp_interval', 'down_delay', 'mii_monitor_interval', 'up_delay'] as const) {
    if ((options[field] ?? 0) < 0) yield at(place, `options.${field}`, `option ${field} out of range`);
  }
  const {
    lacp_rate: rate = '',
    transmit_hash_policy: policy = '',
    arp_ip_targets: targets,
    arp_interval: interval = 0,
  } = options;
  if (!['', 'slow', 'fast'].includes(rate))
    yield at(place, 'options.lacp_rate', `invalid LACP rate '${rate}'`);
  if (policy !== '' && !hashPolicies.includes(policy)) {
    yield at(place, 'options.transmit_hash_policy', `invalid transmit hash policy '${policy}'`);
  }
  for (const [index, target] of targets.entries()) {
    if (!isIPv4(target))
      yield at(
        place,
        `options.arp_ip_targets[${index}]`,
        `invalid ARP target '${target}', must be an IPv4 address`,
      );
  }
  if (targets.length > mostArpTargets)
    yield at(place, 'options.arp_ip_targets', `more than ${mostArpTargets} ARP targets`);
  if (interval > 0 && targets.length === 0)
    yield at(place, 'options.arp_ip_targets', 'ARP monitoring needs at least one target');
  if (interval > 0 && ['802.3ad', 'balance-tlb', 'balance-alb'].includes(mode)) {
    yield at(place, 'options.arp_interval', `ARP monitoring is not possible in mode '${mode}'`);
  }
}
