/** How long a new configuration waits for its confirmation. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { parseDuration } from '@incusos/contracts/rest';
import { invalidField, reasonOf } from '@incusos/service';

/**
 * Milliseconds in which a configuration has to be confirmed: its own timeout, else its default; none means that no
 * confirmation is needed.
 * @throws DomainError with the contract's texts.
 */
export function timeoutOf(config: SystemNetworkConfig): number | undefined {
  const read = (field: 'confirmation_timeout' | 'default_confirmation_timeout'): number | undefined => {
    const { [field]: text = '' } = config;
    if (text === '') return undefined;
    const what = field.replaceAll('_', ' ');
    let nanoseconds: bigint;
    try {
      nanoseconds = parseDuration(text);
    } catch (error) {
      throw invalidField(`config.${field}`, `invalid ${what} provided: ${reasonOf(error)}`);
    }
    if (nanoseconds <= 0n) throw invalidField(`config.${field}`, `${what} must be greater than zero`);
    return Math.max(1, Number(nanoseconds / 1_000_000n));
  };
  const own = read('confirmation_timeout');
  const byDefault = read('default_confirmation_timeout');
  return own ?? byDefault;
}
