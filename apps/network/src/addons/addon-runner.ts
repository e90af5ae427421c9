/**
 * Enables, disables and changes one add-on service.
 *
 * Invariants: the state file holds the configuration that is in force: it is committed after the machine was made so,
 * and a change that fails is taken back. A marker on disk tells of a change under way, so that a start after a crash makes
 * the machine as the state file says. One thing happens at a time.
 */
import type { Host } from '@incusos/host';
import { DomainError, ExclusiveRunner, type Logger, reasonOf } from '@incusos/service';
import { StateRefusedError, type StateStore } from '@incusos/state';
import { commitState, stateFailure } from '@incusos/state-owner';
import { refuse } from '../config/refuse.ts';
import { type NetworkAddons, type NetworkState, stateDirectory } from '../network-state.ts';
import type { Addon, AddonName } from './addon.ts';

export interface RunnerContext {
  readonly host: Host;
  readonly store: StateStore<NetworkState>;
  readonly logger: Logger;
}

export class AddonRunner<Name extends AddonName> {
  private readonly queue = new ExclusiveRunner();
  private readonly marker: string;

  constructor(
    private readonly name: Name,
    private readonly addon: Addon<NetworkAddons[Name]>,
    private readonly context: RunnerContext,
  ) {
    this.marker = `${stateDirectory}/addon-${name}.changing`;
  }

  /** The configuration in force. */
  get config(): NetworkAddons[Name] {
    return this.context.store.current.addons[this.name];
  }

  /** Resolves when nothing is under way any more. */
  settled(): Promise<void> {
    return this.queue.run(() => Promise.resolve());
  }

  /** @throws DomainError `INVALID_REQUEST` naming the fields that are wrong. */
  check(config: NetworkAddons[Name]): void {
    refuse(this.addon.check(config));
  }

  /**
   * Puts a configuration in force.
   * @throws DomainError `INVALID_REQUEST` and `PRECONDITION_FAILED` before anything was changed; otherwise the earlier
   * configuration is in force again, and the message says so.
   */
  async set(config: NetworkAddons[Name]): Promise<void> {
    this.check(config);
    await this.queue.run(() => this.change(config));
  }

  /** What a start of this process finds to do. A service that can't be started is told of in the log and holds nobody up. */
  async start(): Promise<void> {
    await this.queue
      .run(() => this.resume())
      .catch((error: unknown) => {
        this.context.logger.warn(`the service ${this.name} could not be started`, { error: reasonOf(error) });
      });
  }

  /** Makes the machine as the state file says, after that was replaced from outside. */
  async adopt(): Promise<void> {
    const { files } = this.context.host;
    await this.queue.run(async () => {
      await files.writeAtomic(this.marker, '');
      await this.make(this.config);
      await files.remove(this.marker);
    });
  }

  async follow(): Promise<void> {
    const { addon } = this;
    if (!this.config.enabled || addon.follow === undefined) return;
    await this.queue.run(async () => {
      if (this.config.enabled) await addon.follow?.(this.config);
    });
  }

  /** @throws DomainError when it can't be reset, or isn't enabled. */
  async reset(): Promise<void> {
    const { addon } = this;
    if (addon.reset === undefined)
      throw new DomainError('INVALID_REQUEST', "reset isn't supported by this service");
    await this.queue.run(async () => {
      if (!this.config.enabled)
        throw new DomainError('PRECONDITION_FAILED', addon.notEnabled ?? `${this.name} isn't enabled`);
      await addon.reset?.().catch((error: unknown) => {
        throw failure(error, '');
      });
    });
  }

  private async change(next: NetworkAddons[Name]): Promise<void> {
    const previous = this.config;
    this.refuseUnsaved();
    if (!next.enabled && !previous.enabled) return this.save(next);
    if (next.enabled) await this.addon.prepare(next);
    const { files } = this.context.host;
    await files.writeAtomic(this.marker, '').catch((error: unknown) => {
      throw stateFailure(error);
    });
    try {
      await this.make(next);
      await this.save(next);
    } catch (error) {
      throw await this.takeBack(error, previous);
    }
    await files.remove(this.marker);
    this.context.logger.info(`the service ${this.name} is ${next.enabled ? 'enabled' : 'disabled'}`);
  }

  /** Restores the previous configuration after a failure; answers with the error for the caller. */
  private async takeBack(error: unknown, previous: NetworkAddons[Name]): Promise<Error> {
    const { logger, host } = this.context;
    logger.error(`the service ${this.name} could not be changed`, { error: reasonOf(error) });
    try {
      await this.make(previous);
      await host.files.remove(this.marker);
    } catch (problem) {
      // The marker stays: the next start tries again.
      logger.error(`the service ${this.name} could not be brought back`, { error: reasonOf(problem) });
      return failure(error, `the previous configuration could not be put back: ${reasonOf(problem)}`);
    }
    return failure(error, 'the previous configuration is in force again');
  }

  private async resume(): Promise<void> {
    const { config, addon } = this;
    const { files } = this.context.host;
    const interrupted = await files.exists(this.marker);
    if (interrupted) {
      this.context.logger.warn(`a change of the service ${this.name} was interrupted, it is taken back`);
      if (config.enabled) await addon.prepare(config);
      await this.make(config);
      await files.remove(this.marker);
    } else if (config.enabled) {
      await addon.prepare(config);
      await addon.start(config);
    } else if (await addon.started()) await addon.stop();
  }

  private async make(config: NetworkAddons[Name]): Promise<void> {
    if (config.enabled) await this.addon.apply(config);
    else if (await this.addon.started()) await this.addon.stop();
  }

  private refuseUnsaved(): void {
    const { problem } = this.context.store;
    if (problem === undefined) return;
    throw stateFailure(
      new StateRefusedError(
        `${problem.error.message}; the service ${this.name} can't be changed before it was decided how to go on`,
      ),
    );
  }

  private async save(config: NetworkAddons[Name]): Promise<void> {
    await commitState(this.context.store, `service ${this.name}`, (state) => ({
      ...state,
      addons: { ...state.addons, [this.name]: config },
    }));
  }
}

function failure(error: unknown, outcome: string): DomainError {
  const text = outcome === '' ? reasonOf(error) : `${reasonOf(error)}; ${outcome}`;
  return new DomainError(error instanceof DomainError ? error.reason : 'OPERATION_FAILED', text, {
    cause: error,
  });
}
