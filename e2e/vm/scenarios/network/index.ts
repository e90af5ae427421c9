/**
 * The network on real networkd, resolved and timesyncd, with the neighbour at the other end of the cables, or with
 * another network namespace of the same machine.
 */
import type { Scenario } from '../../harness/scenario.ts';
import { bondScenarios } from './bond.ts';
import { dhcpScenarios } from './dhcp.ts';
import { dnsScenarios } from './dns.ts';
import { failoverScenarios } from './failover.ts';
import { firewallScenarios } from './firewall.ts';
import { lldpScenarios } from './lldp.ts';
import { ovnScenarios } from './ovn.ts';
import { proxyScenarios } from './proxy.ts';
import { rollbackScenarios } from './rollback.ts';
import { seedScenarios } from './seed.ts';
import { rendererScenarios } from './renderer.ts';
import { staticScenarios } from './static.ts';
import { timeScenarios } from './time.ts';
import { tutorialScenarios } from './tutorial.ts';
import { untouchedScenarios } from './untouched.ts';
import { vlanScenarios } from './vlan.ts';
import { wireguardScenarios } from './wireguard.ts';

export const networkScenarios: readonly Scenario[] = [
  ...seedScenarios,
  ...rendererScenarios,
  ...staticScenarios,
  ...dhcpScenarios,
  ...dnsScenarios,
  ...timeScenarios,
  ...lldpScenarios,
  ...vlanScenarios,
  ...ovnScenarios,
  ...firewallScenarios,
  ...wireguardScenarios,
  ...untouchedScenarios,
  ...failoverScenarios,
  ...rollbackScenarios,
  ...bondScenarios,
  ...tutorialScenarios,
  ...proxyScenarios,
];
