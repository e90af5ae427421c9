/** Settings that this release knows but can't carry out: refused by name, never ignored. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { DomainError } from '@incusos/service';

/** @throws DomainError `NOT_IMPLEMENTED` naming the first such setting. */
export function refuseUnsupported(config: SystemNetworkConfig): void {
  const field = unsupportedField(config);
  if (field !== undefined)
    throw new DomainError('NOT_IMPLEMENTED', `${field} is not implemented yet`, {
      fields: [{ field, reason: 'not implemented' }],
    });
}

function unsupportedField(config: SystemNetworkConfig): string | undefined {
  if (config.wireguard.length > 0) return 'config.wireguard';
  for (const [index, { strict_hwaddr: strict }] of config.interfaces.entries()) {
    if (strict === true) return `config.interfaces[${index}].strict_hwaddr`;
  }
  for (const list of ['interfaces', 'bonds', 'vlans'] as const) {
    for (const [index, { firewall_rules: rules }] of config[list].entries()) {
      if (rules.length > 0) return `config.${list}[${index}].firewall_rules`;
    }
  }
  return undefined;
}
