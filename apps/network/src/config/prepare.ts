/** Makes of what somebody wrote a configuration that can be applied to this machine, or says what is wrong with it. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { withPrivateKeys } from '../wireguard/keys.ts';
import { normalizeConfig } from './normalize.ts';
import { checkFreeNames, checkPresence, type KnownDevices, resolveNames } from './resolve-names.ts';
import { validateConfig } from './validate.ts';
import { refuse } from './refuse.ts';

/**
 * What can be told without looking at the machine.
 * @throws DomainError naming the fields.
 */
export function checkForm(request: SystemNetworkConfig): void {
  refuse(validateConfig(normalizeConfig(request), 'loose'));
}

/**
 * The configuration with MACs in the place of names and a key for every tunnel, checked against the machine.
 * @throws DomainError naming the fields.
 */
export function prepareConfig(request: SystemNetworkConfig, known: KnownDevices): SystemNetworkConfig {
  const config = resolveNames(normalizeConfig(request), known);
  refuse(validateConfig(config, 'strict'));
  refuse(checkPresence(config, known.cards));
  refuse(checkFreeNames(config, known.cards));
  return withPrivateKeys(config, known.configured);
}
