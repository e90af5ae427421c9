/** What the seed wants the network of a machine to be that was never configured. */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { openSeeds, SeedError } from '@incusos/seeds';
import { DomainError } from '@incusos/service';
import type { NetworkCard } from '../state/ip.ts';
import { timeoutOf } from './confirmation-timeout.ts';
import { defaultConfig } from './defaults.ts';
import { checkForm, prepareConfig } from './prepare.ts';

/**
 * The configuration of the seed, `undefined` without one. A seed that names no devices leaves them at the default.
 * @throws SeedError when it can't be used on this machine.
 */
export async function seededConfig(
  host: Host,
  cards: readonly NetworkCard[],
): Promise<SystemNetworkConfig | undefined> {
  const seed = await openSeeds(host).read('network');
  if (seed === undefined) return undefined;
  try {
    return configOf(SystemNetworkConfig.fromPartial(seed), cards);
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    const field = error.fields[0]?.field.replace(/^config\./u, '') ?? '';
    throw new SeedError('network seed', field, error.message, { cause: error });
  }
}

function configOf(seed: SystemNetworkConfig, cards: readonly NetworkCard[]): SystemNetworkConfig {
  timeoutOf(seed);
  const { interfaces } = defaultConfig(cards);
  const hasDevices = seed.interfaces.length + seed.bonds.length + seed.vlans.length > 0;
  const complete = {
    ...seed,
    interfaces: hasDevices ? seed.interfaces : interfaces,
    time: {
      ntp_servers: seed.time?.ntp_servers ?? [],
      timezone: seed.time?.timezone ?? 'UTC',
    },
  };
  checkForm(complete);
  return prepareConfig(complete, { cards, configured: undefined });
}
