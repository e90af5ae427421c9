/**
 * What may come in by devices that have rules. What no rule decides is let through: a firewall is closed by a last rule
 * of its own that drops or rejects everything.
 */
import type { SystemNetworkConfig, SystemNetworkFirewallRule } from '@incusos/contracts/network';
import type { Device } from '../config/device.ts';
import { hostName } from '../render/device-names.ts';
import {
  accept,
  anyOf,
  connectionIs,
  drop,
  entersBy,
  header,
  network,
  type Rule,
  type Statement,
} from './nftables.ts';

interface Guarded {
  readonly device: string;
  readonly rules: readonly SystemNetworkFirewallRule[];
  readonly dhcp6: boolean;
}

export function inputRules(config: SystemNetworkConfig): Rule[] {
  const guarded = guardedDevices(config);
  if (guarded.length === 0) return [];
  const all = entersBy(guarded.map(({ device }) => device));
  const asking = guarded.filter(({ dhcp6 }) => dhcp6).map(({ device }) => device);
  return [
    ...alwaysDecided.map((rule) => [all, ...rule]),
    ...(asking.length === 0 ? [] : [[entersBy(asking), ...dhcp6Answer]]),
    ...guarded.flatMap(({ device, rules }) => rules.map((rule) => [entersBy([device]), ...ruleOf(rule)])),
  ];
}

function guardedDevices({ interfaces, bonds, vlans, wireguard }: SystemNetworkConfig): Guarded[] {
  const on = (device: string, { firewall_rules: rules, addresses }: Device): Guarded => ({
    device,
    rules,
    dhcp6: addresses.includes('dhcp6'),
  });
  return [
    ...[...interfaces, ...bonds].map((one) => on(hostName(one.name), one)),
    ...[...vlans, ...wireguard].map((one) => on(one.name, one)),
  ].filter(({ rules }) => rules.length > 0);
}

/** Connections that exist go on, and what a network can't do without works, whatever the rules say. */
const alwaysDecided: readonly Rule[] = [
  [connectionIs('established', 'related'), accept],
  [connectionIs('invalid'), drop],
  [header('ip', 'protocol', 'icmp'), accept],
  [
    header(
      'icmp',
      'type',
      anyOf(['echo-request', 'destination-unreachable', 'time-exceeded', 'parameter-problem']),
    ),
    accept,
  ],
  [
    header(
      'icmpv6',
      'type',
      anyOf([
        'echo-request',
        'nd-neighbor-solicit',
        'nd-neighbor-advert',
        'nd-router-solicit',
        'nd-router-advert',
        'mld-listener-query',
      ]),
    ),
    accept,
  ],
];

/** It comes from another address than the one that was asked, which is multicast; so it is no answer to conntrack. */
const dhcp6Answer: Rule = [
  header('ip6', 'saddr', network('fe80::/10')),
  header('udp', 'sport', 547),
  header('udp', 'dport', 546),
  accept,
];

function ruleOf({ source = '', protocol = '', port = 0, action }: SystemNetworkFirewallRule): Statement[] {
  return [
    ...(source === '' ? [] : [header(source.includes(':') ? 'ip6' : 'ip', 'saddr', network(source))]),
    ...(protocol === '' ? [] : [header(protocol, 'dport', port)]),
    { [action]: null },
  ];
}
