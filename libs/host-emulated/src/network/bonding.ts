/** `/proc/net/bonding/<bond>` (Linux, drivers/net/bonding/bond_procfs.c). */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { findLink, hasCarrier, nicOf, portsOf } from './kernel.ts';
import type { Link, NetworkSection } from './section.ts';

const modes: Readonly<Record<string, string>> = {
  'balance-rr': 'load balancing (round-robin)',
  'active-backup': 'fault-tolerance (active-backup)',
  'balance-xor': 'load balancing (xor)',
  broadcast: 'fault-tolerance (broadcast)',
  '802.3ad': 'IEEE 802.3ad Dynamic link aggregation',
  'balance-tlb': 'transmit load balancing',
  'balance-alb': 'adaptive load balancing',
};
const nobody = '00:00:00:00:00:00';

export function bondingFile(machine: EmulatedMachine, name: string): string | undefined {
  const section = machine.read().network;
  const bond = findLink(section, name);
  if (bond?.kind !== 'bond') return undefined;
  const mode = bond.bond_mode ?? 'balance-rr';
  const lacp = mode === '802.3ad';
  const members = portsOf(section, bond);
  const answered = members.some((member) => partnerOf(section, member) !== nobody);
  return [
    'Ethernet Channel Bonding Driver: v6.12.0',
    '',
    `Bonding Mode: ${modes[mode] ?? mode}`,
    `MII Status: ${hasCarrier(section, bond) ? 'up' : 'down'}`,
    'MII Polling Interval (ms): 100',
    'Up Delay (ms): 0',
    'Down Delay (ms): 0',
    ...(lacp ? aggregator(section, bond, answered) : []),
    ...members.flatMap((member, index) => [
      '',
      `Slave Interface: ${member.name}`,
      `MII Status: ${hasCarrier(section, member) ? 'up' : 'down'}`,
      `Speed: ${nicOf(section, member)?.speed ?? 'Unknown'} Mbps`,
      'Duplex: full',
      'Link Failure Count: 0',
      `Permanent HW addr: ${member.nic ?? member.mac}`,
      'Slave queue ID: 0',
      ...(lacp ? protocol(bond, index + 1, partnerOf(section, member)) : []),
    ]),
    '',
  ].join('\n');
}

/** What the switch calls itself, where a cable leads to it. */
function partnerOf(section: Readonly<NetworkSection>, member: Link): string {
  return hasCarrier(section, member) ? section.lan.neighbour.chassis_id : nobody;
}

function aggregator(section: Readonly<NetworkSection>, bond: Link, answered: boolean): string[] {
  return [
    '',
    '802.3ad info',
    'LACP active: on',
    'LACP rate: fast',
    'Min links: 0',
    'Aggregator selection policy (ad_select): stable',
    'System priority: 65535',
    `System MAC address: ${bond.mac}`,
    'Active Aggregator Info:',
    '\tAggregator ID: 1',
    '\tNumber of ports: 1',
    '\tActor Key: 15',
    '\tPartner Key: 1',
    `\tPartner Mac Address: ${answered ? section.lan.neighbour.chassis_id : nobody}`,
  ];
}

function protocol(bond: Link, port: number, partner: string): string[] {
  const end = (which: 'actor' | 'partner', mac: string): string[] => [
    `details ${which} lacp pdu:`,
    '    system priority: 65535',
    `    system mac address: ${mac}`,
    `    ${which === 'actor' ? 'port' : 'oper'} key: 15`,
    '    port priority: 255',
    `    port number: ${port}`,
    '    port state: 63',
  ];
  return [
    'Aggregator ID: 1',
    'Actor Churn State: none',
    'Partner Churn State: none',
    'Actor Churned Count: 0',
    'Partner Churned Count: 0',
    ...end('actor', bond.mac),
    ...end('partner', partner),
  ];
}
