/** The network on real networkd, resolved and timesyncd, with the neighbour at the other end of the cables. */
import type { Scenario } from '../../harness/scenario.ts';
import { staticScenarios } from './static.ts';

export const networkScenarios: readonly Scenario[] = [...staticScenarios];
