/** Rules for firewall rules (9 to 14). */
import { isIP } from 'node:net';
import type { SystemNetworkFirewallRule } from '@incusos/contracts/network';
import { isCidr } from './addresses.ts';
import { at, type Place, type Violation } from './violation.ts';

export function* checkFirewallRules(
  rules: readonly SystemNetworkFirewallRule[],
  place: Place,
): Generator<Violation> {
  for (const [index, { action, protocol = '', port = 0, source = '' }] of rules.entries()) {
    const field = (name: string): string => `firewall_rules[${index}].${name}`;
    if (!['accept', 'drop', 'reject'].includes(action))
      yield at(place, field('action'), `unsupported action "${action}"`);
    if (!['', 'tcp', 'udp'].includes(protocol))
      yield at(place, field('protocol'), `unsupported protocol "${protocol}"`);
    if (port < 0 || port > 65_535) yield at(place, field('port'), `invalid port ${port}`);
    if (port !== 0 && protocol === '')
      yield at(place, field('protocol'), 'port specified but no protocol provided');
    if (protocol !== '' && port === 0)
      yield at(place, field('port'), 'protocol specified but no port provided');
    if (source !== '' && !isAddress(source) && !isCidr(source))
      yield at(place, field('source'), `bad address "${source}"`);
  }
}

/** Without a zone: the device is given already. */
function isAddress(text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%');
}
