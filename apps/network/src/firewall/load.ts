/** Puts the rules of a configuration into the kernel: all of them at once, or none. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { type Host, ProgramError } from '@incusos/host';
import { renderRuleset } from './ruleset.ts';

/** The kernel did not take the rules; those that it had are still in force. */
export class FirewallError extends Error {
  override readonly name = 'FirewallError';
}

/**
 * Asks nft and the kernel whether they would take the rules; changes nothing.
 * @throws FirewallError with their reason when they wouldn't.
 */
export async function checkFirewall(host: Host, config: SystemNetworkConfig): Promise<void> {
  await run(host, config, ['--check']);
}

/**
 * Replaces the rules in one transaction. Devices need not be there yet, so rules go first and addresses follow.
 * @throws FirewallError when the kernel keeps the rules that it had.
 */
export async function loadFirewall(host: Host, config: SystemNetworkConfig): Promise<void> {
  await run(host, config, []);
}

async function run(host: Host, config: SystemNetworkConfig, options: readonly string[]): Promise<void> {
  try {
    await host.programs.run(['nft', '--json', ...options, '--file', '-'], { stdin: renderRuleset(config) });
  } catch (error) {
    throw new FirewallError(`the firewall rules could not be loaded: ${reasonOf(error)}`, { cause: error });
  }
}

/** nft answers with a line for each level at which it gave up; the first one says why. */
function reasonOf(error: unknown): string {
  if (!(error instanceof ProgramError) || error.stderr === '')
    return error instanceof Error ? error.message : String(error);
  const [first = ''] = error.stderr.split('\n');
  return first.replace(/^(?:internal|\/dev\/stdin):\d+:\d+-\d+: /u, '').replace(/^Error: /u, '');
}
