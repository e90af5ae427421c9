/** Rules for bonds (18 to 21, and what systemd.netdev(5) takes in `[Bond]`). */
import type { SystemNetworkBond, SystemNetworkBondOptions } from '@incusos/contracts/network';
import { checkDevice, checkVlanTags } from './device.ts';
import { checkEthernet } from './ethernet.ts';
import { checkHardwareAddress } from './hardware-addresses.ts';
import { isNoUnicast, parseIp } from './ip.ts';
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
/** What systemd 257 can set; the kernel's `vlan+srcmac` is not among it. */
const hashPolicies = ['layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4'];
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

/** Modes in which the kernel can't watch by ARP (`bond_mode_uses_arp`, and the `unsuppmodes` of `arp_interval`). */
const modesWithoutArp = ['802.3ad', 'balance-tlb', 'balance-alb'];
const intervals = ['arp_interval', 'down_delay', 'mii_monitor_interval', 'up_delay'] as const;

function* checkOptions(options: SystemNetworkBondOptions, mode: string, place: Place): Generator<Violation> {
  for (const field of intervals) {
    if ((options[field] ?? 0) < 0) yield at(place, `options.${field}`, `option ${field} out of range`);
  }
  const { lacp_rate: rate = '', transmit_hash_policy: policy = '', arp_interval: arp = 0 } = options;
  if (!['', 'slow', 'fast'].includes(rate))
    yield at(place, 'options.lacp_rate', `invalid LACP rate '${rate}'`);
  if (policy !== '' && !hashPolicies.includes(policy)) {
    yield at(place, 'options.transmit_hash_policy', `invalid transmit hash policy '${policy}'`);
  }
  yield* checkTargets(options.arp_ip_targets, place);
  if (arp <= 0) return;
  if (options.arp_ip_targets.length === 0)
    yield at(place, 'options.arp_ip_targets', 'ARP monitoring needs at least one target');
  if (modesWithoutArp.includes(mode))
    yield at(place, 'options.arp_interval', `ARP monitoring is not possible in mode '${mode}'`);
  // The kernel makes no bond that is told both, nor one with delays and nothing that they delay.
  if ((options.mii_monitor_interval ?? 0) > 0)
    yield at(place, 'options.arp_interval', 'ARP monitoring and MII monitoring exclude each other');
  for (const field of ['down_delay', 'up_delay'] as const) {
    if ((options[field] ?? 0) > 0)
      yield at(place, `options.${field}`, `option ${field} needs MII monitoring`);
  }
}

function* checkTargets(targets: readonly string[], place: Place): Generator<Violation> {
  const field = 'options.arp_ip_targets';
  for (const [index, target] of targets.entries()) {
    const ip = parseIp(target);
    if (ip?.family !== 4 || isNoUnicast(ip)) {
      yield at(place, `${field}[${index}]`, `invalid ARP target '${target}', must be an IPv4 address`);
    }
    if (targets.indexOf(target) < index)
      yield at(place, `${field}[${index}]`, `ARP target '${target}' is listed multiple times`);
  }
  if (targets.length > mostArpTargets) yield at(place, field, `more than ${mostArpTargets} ARP targets`);
}
