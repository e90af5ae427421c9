/** The network on real networkd, resolved and timesyncd, with the neighbour at the other end of the cables. */
import type { Scenario } from '../../harness/scenario.ts';
import { dhcpScenarios } from './dhcp.ts';
import { dnsScenarios } from './dns.ts';
import { lldpScenarios } from './lldp.ts';
import { staticScenarios } from './static.ts';
import { timeScenarios } from './time.ts';
import { vlanScenarios } from './vlan.ts';

export const networkScenarios: readonly Scenario[] = [
  ...staticScenarios,
  ...dhcpScenarios,
  ...dnsScenarios,
  ...timeScenarios,
  ...lldpScenarios,
  ...vlanScenarios,
];
