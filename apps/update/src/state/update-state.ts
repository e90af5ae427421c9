/** What the update service keeps: its configuration, and the provider with the registration there. */
import type { Host } from '@incusos/host';
import { SystemProviderConfig, SystemUpdateConfig } from '@incusos/contracts/update';
import { openState, type StateStore } from '@incusos/state';
import {
  checkUpdateConfiguration,
  defaultUpdateConfiguration,
} from '../configuration/update-configuration.ts';

export interface UpdateState {
  readonly update: SystemUpdateConfig;
  readonly provider: SystemProviderConfig;
  /** At the provider, with this configuration. */
  readonly registered: boolean;
}

/** Injects the `StateStore<UpdateState>`. */
export const UPDATE_STATE = Symbol('update-state');

export type UpdateStore = StateStore<UpdateState>;

/** Opens the state below `/var/lib/incus-os/update`. */
export function openUpdateState(host: Host): Promise<UpdateStore> {
  return openState<UpdateState>(host, {
    directory: '/var/lib/incus-os/update',
    version: 1,
    initial: initialState,
    validate,
  });
}

function initialState(): UpdateState {
  return {
    update: defaultUpdateConfiguration(),
    provider: SystemProviderConfig.create({ name: 'images' }),
    registered: false,
  };
}

function validate(data: unknown): UpdateState {
  if (!isObject(data) || !isObject(data['update']) || !isObject(data['provider'])) {
    throw new Error('it lacks the update or the provider configuration');
  }
  const update = SystemUpdateConfig.fromPartial(data['update']);
  checkUpdateConfiguration(update);
  const provider = SystemProviderConfig.fromPartial(data['provider']);
  if (Object.values(provider.config).some((value) => typeof value !== 'string')) {
    throw new Error('the provider configuration has values that are not strings');
  }
  return { update, provider, registered: data['registered'] === true };
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
