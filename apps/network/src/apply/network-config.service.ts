/**
 * Changes the configuration of the network without ever losing a machine.
 *
 * Invariants: the state file always holds a configuration that came up and, where that was asked for, was confirmed;
 * a record on disk says so before anything else is touched; whatever fails, expires, is killed or loses power ends in
 * the configuration of the state file. Changes run one at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { StateRefusedError, type StateStore } from '@incusos/state';
import { stateFailure } from '@incusos/state-owner';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { timeoutOf } from '../config/confirmation-timeout.ts';
import { defaultConfig } from '../config/defaults.ts';
import { checkForm, prepareConfig } from '../config/prepare.ts';
import { resolveNames } from '../config/resolve-names.ts';
import { seededConfig } from '../config/seeded-config.ts';
import { NETWORK_STATE, type NetworkState } from '../network-state.ts';
import { synchronizeClock } from '../time/clock.ts';
import { type NetworkCard, rememberNames, withEarlierNames } from '../state/ip.ts';
import { applyConfig, readCards } from './apply.ts';
import { PendingFile, type PendingRecord } from './pending.ts';

/** Injects {@link NetworkLimits}. */
export const NETWORK_LIMITS = Symbol('network-limits');

export interface NetworkLimits {
  /** Milliseconds that the network may take to come up. */
  readonly onlineMs: number;
}

export const usualLimits: NetworkLimits = { onlineMs: 30_000 };
/** How long a stop waits for a change that is being made. */
const stopPatienceMs = 2_000;
/** The longest delay that a timer takes. */
const longestTimerMs = 2_147_483_647;

interface Unconfirmed {
  readonly config: SystemNetworkConfig;
  readonly cards: readonly NetworkCard[];
  readonly timer: { stop(): void };
}

@Injectable()
export class NetworkConfigService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pendingFile: PendingFile;
  /** The change that is being made, with what it ends in. */
  private change: Promise<void> | undefined;
  /** Set while the change that is being made needs a confirmation. */
  private confirmedEarly: (() => void) | undefined;
  private unconfirmed: Unconfirmed | undefined;
  private trial: SystemNetworkConfig | undefined;
  private starting: Promise<void> = Promise.resolve();
  private clock = new AbortController();

  /** Called after the machine was changed. */
  onChanged: () => void = () => undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NETWORK_STATE) private readonly store: StateStore<NetworkState>,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(NETWORK_LIMITS) private readonly limits: NetworkLimits,
  ) {
    this.pendingFile = new PendingFile(host);
  }

  /** The configuration in force, confirmed or not. */
  get current(): SystemNetworkConfig | undefined {
    return this.trial ?? this.store.current.config ?? undefined;
  }

  /** Whether a configuration is being applied. */
  get inProcess(): boolean {
    return this.change !== undefined;
  }

  onApplicationBootstrap(): void {
    // Calls are answered meanwhile; a change waits for it.
    this.starting = this.track(this.resume()).catch((error: unknown) => {
      this.logger.error('the network configuration could not be brought up at start', {
        error: reasonOf(error),
      });
    });
  }

  async onApplicationShutdown(): Promise<void> {
    this.unconfirmed?.timer.stop();
    this.clock.abort();
    // What takes longer is taken back at the next start.
    await Promise.race([this.change, sleep(stopPatienceMs, undefined, { ref: false })]);
  }

  /**
   * Applies a configuration; returns when the network is up with it.
   * @throws DomainError `INVALID_REQUEST` before anything was changed, `CONFLICT` while another is being applied,
   * `OPERATION_FAILED` when it didn't come up; the previous one is in force again then.
   */
  async set(request: SystemNetworkConfig | undefined): Promise<void> {
    const config = this.checkRequest(request);
    await this.starting;
    this.refuseSecond();
    await this.track(this.carryOut(config));
  }

  /** @throws DomainError when there is nothing to confirm, or it could not be saved. */
  async confirm(): Promise<void> {
    await this.starting;
    if (this.confirmedEarly !== undefined) {
      const { trial } = this;
      this.confirmedEarly();
      await this.change;
      if (this.store.current.config === trial) return;
      if (this.unconfirmed === undefined) {
        throw new DomainError(
          'OPERATION_FAILED',
          'the network configuration could not be applied, the previous one is in force',
        );
      }
    }
    const { unconfirmed } = this;
    if (unconfirmed === undefined || this.change !== undefined) {
      throw new DomainError('INVALID_REQUEST', 'no network configuration is pending a confirmation');
    }
    await this.track(this.keep(unconfirmed.config, unconfirmed.cards));
    unconfirmed.timer.stop();
    this.logger.info('the network configuration was confirmed');
  }

  /** Applies the configuration of the state file, after it was replaced from outside. */
  async adopt(): Promise<void> {
    await this.starting;
    await this.change;
    this.unconfirmed?.timer.stop();
    this.unconfirmed = undefined;
    this.trial = undefined;
    await this.track(this.bringUp());
    await this.pendingFile.remove();
  }

  private refuseSecond(): void {
    if (this.unconfirmed !== undefined) {
      throw new DomainError(
        'INVALID_REQUEST',
        'a pending network configuration must first be confirmed before a new configuration can be applied',
      );
    }
    if (this.change !== undefined)
      throw new DomainError('CONFLICT', 'a network configuration is already being applied');
  }

  /** What the request alone can get wrong. */
  private checkRequest(request: SystemNetworkConfig | undefined): SystemNetworkConfig {
    if (this.unconfirmed !== undefined) this.refuseSecond();
    if (
      request === undefined ||
      request.interfaces.length + request.bonds.length + request.vlans.length === 0
    ) {
      const reason = 'network configuration has no devices defined';
      throw new DomainError('INVALID_REQUEST', reason, { fields: [{ field: 'config', reason }] });
    }
    timeoutOf(request);
    checkForm(request);
    return request;
  }

  private track<R>(work: Promise<R>): Promise<R> {
    const change = work.then(
      () => undefined,
      () => undefined,
    );
    this.change = change;
    void change.then(() => {
      if (this.change === change) this.change = undefined;
    });
    return work;
  }

  private async carryOut(request: SystemNetworkConfig): Promise<void> {
    const timeoutMs = timeoutOf(request);
    const cards = await this.cards();
    const config = prepareConfig(request, { cards, configured: this.current });
    const { problem } = this.store;
    if (problem !== undefined)
      throw stateFailure(
        new StateRefusedError(
          `${problem.error.message}; the network can't be changed before it was decided how to go on`,
        ),
      );
    const began = Date.now();
    const deadline = timeoutMs === undefined ? undefined : began + timeoutMs;
    const record: PendingRecord = {
      phase: 'applying',
      config,
      bootId: await this.pendingFile.bootId(),
      ...(timeoutMs === undefined || deadline === undefined
        ? {}
        : { timeoutMs, deadline: new Date(deadline).toISOString() }),
    };
    await this.pendingFile.write(record).catch((error: unknown) => {
      throw writeFailure(error);
    });
    this.trial = config;
    let confirmed = deadline === undefined;
    if (!confirmed) {
      this.confirmedEarly = () => {
        confirmed = true;
      };
    }
    try {
      await applyConfig(this.host, config, {
        onlineBy: performance.now() + Math.min(this.limits.onlineMs, timeoutMs ?? Infinity),
      });
      this.onChanged();
      if (confirmed) await this.keep(config, cards);
      else await this.awaitConfirmation(record, deadline ?? began, cards);
    } catch (error) {
      throw await this.takeBack(error);
    } finally {
      this.confirmedEarly = undefined;
    }
    this.findTheTime();
  }

  private async cards(): Promise<NetworkCard[]> {
    return withEarlierNames(await readCards(this.host), this.store.current.card_names);
  }

  /** Makes a configuration that is applied the one to return to. */
  private async keep(config: SystemNetworkConfig, cards: readonly NetworkCard[]): Promise<void> {
    await this.commit('network configuration', config, cards).catch((error: unknown) => {
      throw stateFailure(error);
    });
    this.trial = undefined;
    this.unconfirmed = undefined;
    // Left behind by a crash it would only have the same configuration applied once more.
    await this.pendingFile.remove();
  }

  private async awaitConfirmation(
    record: PendingRecord,
    deadline: number,
    cards: readonly NetworkCard[],
  ): Promise<void> {
    await this.pendingFile.write({ ...record, phase: 'unconfirmed' }).catch((error: unknown) => {
      throw writeFailure(error);
    });
    this.expect(record.config, deadline, cards);
  }

  private expect(config: SystemNetworkConfig, deadline: number, cards: readonly NetworkCard[]): void {
    this.trial = config;
    this.unconfirmed = { config, cards, timer: timerFor(deadline - Date.now(), () => void this.expire()) };
  }

  private async expire(): Promise<void> {
    // A confirmation that is being saved decides it.
    await this.change;
    if (this.unconfirmed === undefined) return;
    this.logger.warn('the network configuration was not confirmed in time, the previous one comes back');
    await this.track(this.goBack()).catch((error: unknown) => {
      this.logger.error('the previous network configuration did not come up', { error: reasonOf(error) });
    });
  }

  /** Restores the previous configuration after a failure; answers with the error for the caller. */
  private async takeBack(error: unknown): Promise<DomainError> {
    const why = reasonOf(error);
    this.logger.error('the network configuration could not be applied, the previous one comes back', {
      error: why,
    });
    const restored = await this.goBack().then(
      () => 'the previous configuration is in force again',
      (problem: unknown) => {
        this.logger.error('the previous network configuration did not come up', { error: reasonOf(problem) });
        return `the previous configuration was put back but did not come up: ${reasonOf(problem)}`;
      },
    );
    if (error instanceof DomainError)
      return new DomainError(error.reason, `${why}; ${restored}`, { cause: error });
    return new DomainError('OPERATION_FAILED', `${why}; ${restored}`, { cause: error });
  }

  private async goBack(): Promise<void> {
    this.trial = undefined;
    this.unconfirmed = undefined;
    const { config } = this.store.current;
    try {
      if (config !== null)
        await applyConfig(this.host, config, { onlineBy: performance.now() + this.limits.onlineMs });
    } finally {
      this.onChanged();
      await this.pendingFile.remove();
      this.findTheTime();
    }
  }

  /** What a start finds: nothing, a change that still may be confirmed, or one to take back. */
  private async resume(): Promise<void> {
    const record = await this.pendingFile.read();
    if (record !== undefined && record !== 'unusable' && (await this.mayBeConfirmed(record))) {
      this.expect(record.config, remainingDeadline(record), await this.cards());
      this.logger.info('a network configuration still awaits its confirmation', {
        deadline: record.deadline,
      });
      return;
    }
    if (record !== undefined)
      this.logger.warn('a change of the network configuration was interrupted, the previous one comes back');
    await this.bringUp();
    if (record !== undefined) await this.pendingFile.remove();
  }

  private async mayBeConfirmed(record: PendingRecord): Promise<boolean> {
    if (record.phase !== 'unconfirmed' || record.deadline === undefined) return false;
    return record.bootId === (await this.pendingFile.bootId()) && remainingDeadline(record) > Date.now();
  }

  /** Applies what the state file says, or the default of a first boot. A start doesn't wait for the network. */
  private async bringUp(): Promise<void> {
    const cards = await this.cards();
    const stored = this.store.current.config ?? undefined;
    if (stored === undefined && (await this.followSeed(cards))) return;
    const config =
      stored === undefined ? defaultConfig(cards) : resolveNames(stored, { cards, configured: undefined });
    if (stored === undefined || JSON.stringify(stored) !== JSON.stringify(config))
      await this.storeResolved(config, cards);
    await applyConfig(this.host, config);
    this.onChanged();
    this.findTheTime();
  }

  /** Whether the network came up as a first boot's seed says; a seed that can't be used locks nobody out. */
  private async followSeed(cards: readonly NetworkCard[]): Promise<boolean> {
    try {
      const config = await seededConfig(this.host, cards);
      if (config === undefined) return false;
      await applyConfig(this.host, config);
      await this.storeResolved(config, cards);
    } catch (error) {
      this.logger.error('the network seed is not used, every card asks for its addresses', {
        error: reasonOf(error),
      });
      return false;
    }
    this.onChanged();
    this.findTheTime();
    return true;
  }

  private async storeResolved(config: SystemNetworkConfig, cards: readonly NetworkCard[]): Promise<void> {
    if (this.store.problem === undefined)
      await this.commit('network configuration of this machine', config, cards);
  }

  private async commit(
    reason: string,
    config: SystemNetworkConfig,
    cards: readonly NetworkCard[],
  ): Promise<void> {
    await this.store.commit(reason, (state) => ({
      ...state,
      config,
      card_names: rememberNames(cards, state.card_names),
    }));
  }

  /** Not waited for: a network without a time server is one that works. */
  private findTheTime(): void {
    this.clock.abort();
    this.clock = new AbortController();
    const { signal } = this.clock;
    synchronizeClock(this.host, signal).then(
      (found) =>
        this.logger.info(found ? 'the clock is synchronized' : 'no time server answered within 30 s'),
      (error: unknown) => {
        if (!signal.aborted)
          this.logger.warn('the clock could not be synchronized', { error: reasonOf(error) });
      },
    );
  }
}

/** A clock that was set back meanwhile must not make the wait longer than it was meant to be. */
function remainingDeadline({ deadline, timeoutMs }: PendingRecord): number {
  const at = deadline === undefined ? 0 : Date.parse(deadline);
  return timeoutMs === undefined ? at : Math.min(at, Date.now() + timeoutMs);
}

function timerFor(ms: number, work: () => void): { stop(): void } {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(Math.max(left, 0), longestTimerMs);
    timer = setTimeout(() => (left > step ? arm(left - step) : work()), step);
  };
  arm(ms);
  return { stop: () => clearTimeout(timer) };
}

function writeFailure(error: unknown): DomainError {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  const why = full ? 'no space is left on the disk' : 'the disk refused it';
  return new DomainError(full ? 'NO_SPACE' : 'OPERATION_FAILED', `the change could not be recorded: ${why}`, {
    cause: error,
  });
}
