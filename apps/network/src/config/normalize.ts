/** Brings a configuration that was sent into the form in which it is stored. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { shortName } from './names.ts';
import { withProxyRules } from './proxy.ts';

/**
 * The confirmation timeout is an instruction and no setting; names that udev made from a MAC lose their prefix; a proxy has
 * rules.
 */
export function normalizeConfig(config: SystemNetworkConfig): SystemNetworkConfig {
  return {
    ...withProxyRules(config),
    confirmation_timeout: undefined,
    interfaces: config.interfaces.map((entry) => ({ ...entry, name: shortName(entry.name) })),
  };
}
