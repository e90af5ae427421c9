/**
 * What the seeds of a machine say about updates.
 *
 * Invariants: they count at the first start only, which the first commit ends; a seed that can't be used is left out
 * as a whole, the other one counts nevertheless.
 */
import { SystemProviderConfig, SystemUpdateConfig } from '@incusos/contracts/update';
import type { Host } from '@incusos/host';
import { openSeeds } from '@incusos/seeds';
import { DomainError, type Logger, reasonOf } from '@incusos/service';
import { checkUpdateConfiguration } from '../configuration/update-configuration.ts';
import { checkProviderConfiguration } from '../providers/provider-configuration.ts';
import { openUpdateState, type UpdateState, type UpdateStore } from './update-state.ts';

/** Opens the state; that of a machine which never had one begins with the seeds. */
export async function openSeededState(host: Host, logger: Logger): Promise<UpdateStore> {
  const store = await openUpdateState(host);
  if (store.revision > 0 || store.problem !== undefined) return store;
  const [update, provider] = await Promise.all([
    attempt('update', logger, () => seededUpdate(host, store.current)),
    attempt('provider', logger, () => seededProvider(host)),
  ]);
  await store
    .commit('first boot', (state) => ({
      ...state,
      ...(update === undefined ? {} : { update }),
      ...(provider === undefined ? {} : { provider }),
    }))
    .catch((error: unknown) => logger.error('the seeds could not be taken over', { error: reasonOf(error) }));
  return store;
}

async function seededUpdate(host: Host, { update }: UpdateState): Promise<SystemUpdateConfig | undefined> {
  const seed = await openSeeds(host).read('update');
  if (seed === undefined) return undefined;
  const { channel, check_frequency } = seed;
  const config = SystemUpdateConfig.fromPartial({
    ...seed,
    channel: channel === '' ? update.channel : channel,
    check_frequency: check_frequency === '' ? update.check_frequency : check_frequency,
  });
  checkUpdateConfiguration(config);
  return config;
}

/** A server that wants to know its machines is told of this one with the first check. */
async function seededProvider(host: Host): Promise<SystemProviderConfig | undefined> {
  const seed = await openSeeds(host).read('provider');
  if (seed === undefined) return undefined;
  const config = SystemProviderConfig.fromPartial(seed);
  checkProviderConfiguration(config);
  return config;
}

async function attempt<T>(
  seed: string,
  logger: Logger,
  read: () => Promise<T | undefined>,
): Promise<T | undefined> {
  try {
    return await read();
  } catch (error) {
    const field = error instanceof DomainError ? error.fields[0]?.field.replace(/^config\./u, '') : undefined;
    logger.error(`the ${seed} seed is not used, the default is`, {
      ...(field === undefined ? {} : { field }),
      error: reasonOf(error),
    });
    return undefined;
  }
}
