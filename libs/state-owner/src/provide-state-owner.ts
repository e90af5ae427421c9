import type { ServiceName } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import type { InjectionToken, Provider } from '@nestjs/common';
import { StateOwnerController } from './state-owner.controller.ts';
import {
  type SecretFiles,
  STATE_OWNER_SETTINGS,
  type StateOwnerHooks,
  type StateOwnerSettings,
} from './state-owner-options.ts';

export interface StateOwnerOptions {
  readonly service: ServiceName;
  /** The token of the service's {@link StateStore}. */
  readonly store: InjectionToken;
  /** Files next to the state that belong to it; none unless given. */
  readonly secrets?: readonly SecretFiles[];
  /** The token of a provider that implements {@link StateOwnerHooks}. */
  readonly hooks?: InjectionToken;
}

/**
 * The providers by which a service answers `incusos.state.v1.StateOwner`. They need `HOST`, the store and the hooks to
 * be among the module's own providers.
 */
export function provideStateOwner(options: StateOwnerOptions): Provider[] {
  const { service, store, secrets = [], hooks } = options;
  return [
    {
      provide: STATE_OWNER_SETTINGS,
      inject: hooks === undefined ? [store] : [store, hooks],
      useFactory: (opened: StateStore<object>, own: StateOwnerHooks<object> = {}): StateOwnerSettings => ({
        service,
        store: opened,
        secrets,
        hooks: own,
      }),
    },
    StateOwnerController,
  ];
}
