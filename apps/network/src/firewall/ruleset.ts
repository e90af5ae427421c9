/**
 * The rules of the packet filter (nftables), as a pure function of the configuration: one transaction that the kernel
 * takes as a whole or not at all.
 *
 * Invariants: only tables of our own are touched, since applications have theirs. Chains are kept and refilled. A chain
 * that is deleted and made anew would be two for a moment, and a packet could pass between the old rules and the new.
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { bondMac, bondName, hostName, physicalName, portName } from '../render/device-names.ts';
import { inputRules } from './input-rules.ts';
import {
  addChain,
  addRule,
  addTable,
  type Chain,
  drop,
  entersBy,
  flushTable,
  header,
  leavesBy,
  notrack,
  type Rule,
  type Table,
} from './nftables.ts';

const inet: Table = { family: 'inet', name: 'incus-osd' };
const bridge: Table = { family: 'bridge', name: 'incus-osd' };

const input: Chain = { table: inet, name: 'input', hook: 'input', priority: 0 };
const forward: Chain = { table: inet, name: 'forward', hook: 'forward', priority: 0 };
const macFilters: Chain = { table: bridge, name: 'mac-filters', hook: 'postrouting', priority: 0 };
const conntrackBypass: Chain = {
  table: bridge,
  name: 'conntrack-bypass',
  hook: 'prerouting',
  priority: -300,
};

/** @returns what `nft --json --file` takes. */
export function renderRuleset(config: SystemNetworkConfig): string {
  const rules: readonly (readonly [Chain, readonly Rule[]])[] = [
    [input, inputRules(config)],
    [forward, forwardRules(config)],
    [macFilters, macFilterRules(config)],
    [conntrackBypass, conntrackBypassRules(config)],
  ];
  const commands = [
    ...[inet, bridge].map(addTable),
    ...rules.map(([chain]) => addChain(chain)),
    ...[inet, bridge].map(flushTable),
    ...rules.flatMap(([chain, entries]) => entries.map((rule) => addRule(chain, rule))),
  ];
  return `${JSON.stringify({ nftables: commands })}\n`;
}

/** The appliance never routes between networks of its own. */
function forwardRules({ interfaces, bonds, vlans, wireguard }: SystemNetworkConfig): Rule[] {
  const devices = [
    ...[...interfaces, ...bonds].map(({ name }) => hostName(name)),
    ...[...vlans, ...wireguard].map(({ name }) => name),
  ];
  return devices.length === 0 ? [] : [[entersBy(devices), leavesBy(devices), drop]];
}

/** Nothing behind the bridge sends by another address than the card's. */
function macFilterRules({ interfaces }: SystemNetworkConfig): Rule[] {
  return interfaces
    .filter(({ strict_hwaddr: strict }) => strict === true)
    .map(({ hwaddr }) => [
      leavesBy([physicalName(hwaddr)]),
      header('ether', 'saddr', hwaddr.toLowerCase(), '!='),
      drop,
    ]);
}

/** What only crosses a bridge, such as a guest's traffic, needs no place among the host's connections. */
function conntrackBypassRules({ interfaces, bonds }: SystemNetworkConfig): Rule[] {
  const ports = [
    ...interfaces.flatMap(({ hwaddr }) => [portName(hwaddr), physicalName(hwaddr)]),
    ...bonds.flatMap((bond) => [portName(bondMac(bond)), bondName(bond.name)]),
  ];
  return ports.length === 0 ? [] : [[entersBy(ports), notrack]];
}
