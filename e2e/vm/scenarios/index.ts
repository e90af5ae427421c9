/** All scenarios, in the order in which they run. */
import type { Scenario } from '../harness/scenario.ts';
import { apiScenarios } from './api.ts';
import { bootScenarios } from './boot.ts';
import { networkScenarios } from './network/index.ts';
import { signedScenarios } from './signed.ts';
import { updateScenarios } from './update.ts';

export const scenarios: readonly Scenario[] = [
  ...bootScenarios,
  ...signedScenarios,
  ...updateScenarios,
  ...apiScenarios,
  ...networkScenarios,
];

const groupOf = ({ name }: Scenario): string => name.split('/')[0] ?? name;

/**
 * The scenarios with these names, of these groups, or of the quick part of a group, `GROUP/quick`; all when there is none.
 * @throws Error for a name that nothing has.
 */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  const is = (name: string) => (scenario: Scenario) =>
    scenario.name === name ||
    scenario.name.startsWith(`${name}/`) ||
    (scenario.quick === true && name === `${groupOf(scenario)}/quick`);
  const unknown = names.find((name) => !scenarios.some(is(name)));
  if (unknown !== undefined)
    throw new Error(`there is no scenario and no group ${unknown}; --list tells them.`);
  return names.length === 0
    ? scenarios
    : scenarios.filter((scenario) => names.some((name) => is(name)(scenario)));
}
