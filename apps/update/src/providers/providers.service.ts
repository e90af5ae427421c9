/**
 * The provider that the configuration names.
 *
 * Invariants: what is configured has been checked, and is registered at its provider where that has registration; a
 * configuration that could not be registered leaves everything as it was.
 */
import { SystemProviderConfig } from '@incusos/contracts/update';
import { HOST, type Host } from '@incusos/host';
import { ExclusiveRunner, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { FETCH_LIMITS } from '../feed/fetch-limits.ts';
import type { FetchLimits } from '../feed/fetch-file.ts';
import { UPDATE_STATE, type UpdateState, type UpdateStore } from '../state/update-state.ts';
import { DebugProvider } from './debug-provider.ts';
import { ImagesProvider } from './images-provider.ts';
import { MachineIdentity, SECURITY_CLIENT, type SecurityClient } from './machine-identity.ts';
import { checkProviderConfiguration } from './provider-configuration.ts';
import { providerFailure } from './provider-failure.ts';
import type { ReleaseProvider } from './release-provider.ts';

/** How long a provider may take to note what changed about this machine. */
const refreshMs = 150_000;

@Injectable()
export class Providers {
  private readonly runner = new ExclusiveRunner();
  private readonly identity: MachineIdentity;
  private loaded: { readonly config: SystemProviderConfig; readonly provider: ReleaseProvider } | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(UPDATE_STATE) private readonly store: UpdateStore,
    @Inject(FETCH_LIMITS) private readonly limits: FetchLimits,
    @Inject(SECURITY_CLIENT) security: SecurityClient,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.identity = new MachineIdentity(security);
  }

  /**
   * The provider in force.
   * @throws DomainError NOT_IMPLEMENTED, INVALID_REQUEST when the state names one that this release doesn't have.
   */
  current(): ReleaseProvider {
    const { provider: config } = this.store.current;
    // The state is replaced as a whole, so another configuration is another object.
    if (this.loaded?.config !== config) this.loaded = { config, provider: this.load(config) };
    return this.loaded.provider;
  }

  /**
   * Changes the provider: registers where there is registration, and keeps the configuration.
   * @throws DomainError INVALID_REQUEST naming the field, NOT_IMPLEMENTED, OPERATION_FAILED with the provider's reason.
   */
  configure(config: SystemProviderConfig, signal: AbortSignal): Promise<void> {
    return this.runner.run(async () => {
      const provider = this.load(config);
      const registered = provider.canRegister && (await this.registered(provider, config, signal));
      await commitState(this.store, 'provider configured', (state) => ({
        ...state,
        provider: config,
        registered,
      }));
    }, signal);
  }

  /**
   * Registers with the provider of a seed, which could not be done when the seed was read.
   * @throws DomainError as `configure` does.
   */
  async completeRegistration(signal: AbortSignal): Promise<void> {
    const { provider: config, registered } = this.store.current;
    if (!registered && this.current().canRegister) await this.configure(config, signal);
  }

  /**
   * Tells a provider that keeps a register of machines what changed about this one, in the background.
   * @param cause in the words of the Operations Center, such as `network-config-changed`.
   */
  refreshRegistration(cause: string): void {
    if (!this.store.current.registered) return;
    const refresh = async (): Promise<void> => {
      const provider = this.current();
      await provider.refresh?.(cause, AbortSignal.timeout(refreshMs));
    };
    refresh().catch((error: unknown) => {
      this.logger.warn('the provider could not be told what changed', { cause, error: reasonOf(error) });
    });
  }

  private load(config: SystemProviderConfig): ReleaseProvider {
    const { host, logger, limits, identity } = this;
    switch (checkProviderConfiguration(config)) {
      case 'debug':
        return new DebugProvider(host);
      case 'images':
        return new ImagesProvider(config.config, {
          host,
          logger,
          limits,
          identity,
          channel: () => this.store.current.update.channel,
        });
    }
  }

  private async registered(
    provider: ReleaseProvider,
    config: SystemProviderConfig,
    signal: AbortSignal,
  ): Promise<boolean> {
    if (this.isRegisteredAs(config)) return true;
    try {
      await provider.register(signal);
    } catch (error) {
      throw providerFailure(error);
    }
    this.logger.info('this machine was registered with its provider', { provider: provider.name });
    return true;
  }

  /** A registration holds for the server that gave out the token. */
  private isRegisteredAs({ name, config }: SystemProviderConfig): boolean {
    const { provider, registered }: UpdateState = this.store.current;
    const same = (key: string): boolean => (provider.config[key] ?? '') === (config[key] ?? '');
    return registered && provider.name === name && same('server_url') && same('token');
  }
}
