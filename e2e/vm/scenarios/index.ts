/** All scenarios, in the order in which they run. */
import type { Scenario } from '../harness/scenario.ts';
import { apiScenarios } from './api.ts';
import { bootScenarios } from './boot.ts';
import { signedScenarios } from './signed.ts';
import { updateScenarios } from './update.ts';

export const scenarios: readonly Scenario[] = [
  ...bootScenarios,
  ...signedScenarios,
  ...updateScenarios,
  ...apiScenarios,
];

/**
 * The scenarios with these names, or of these groups; all when there is none.
 * @throws Error for a name that nothing has.
 */
export function scenariosNamed(names: readonly string[]): readonly Scenario[] {
  const is = (name: string) => (scenario: Scenario) =>
    scenario.name === name || scenario.name.startsWith(`${name}/`);
  const unknown = names.find((name) => !scenarios.some(is(name)));
  if (unknown !== undefined)
    throw new Error(`there is no scenario and no group ${unknown}; --list tells them.`);
  return names.length === 0
    ? scenarios
    : scenarios.filter((scenario) => names.some((name) => is(name)(scenario)));
}
