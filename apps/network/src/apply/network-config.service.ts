/**
 * Changes the configuration of the network without ever losing a machine.
 *
 * Invariants: the state file always holds a configuration that came up and, where that was asked for, was confirmed;
 * a record on disk says so before anything else is touched; whatever fails, expires, is killed or loses power ends in
 * the configuration of the state file, which is tried until it is in force. Changes run one at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemNetworkChange, SystemNetworkConfig, SystemNetworkPlan } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { StateRefusedError, type StateStore } from '@incusos/state';
import { stateFailure } from '@incusos/state-owner';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { timeoutOf } from '../config/confirmation-timeout.ts';
import { checkForm, prepareConfig } from '../config/prepare.ts';
import { configWarnings } from '../config/warnings.ts';
import { NETWORK_STATE, type NetworkState } from '../network-state.ts';
import { rememberNames } from '../state/ip.ts';
import { ClockService } from '../time/clock.service.ts';
import { applyConfig, checkChange, limitsOf, prepareChange, StepError } from './apply.ts';
import { describePlan } from './describe-plan.ts';
import { LastChange } from './last-change.ts';
import { NotOnlineError } from './online.ts';
import { PendingFile, type PendingRecord } from './pending.ts';
import { ProviderNews } from './provider-news.ts';
import { Retry } from './retry.ts';
import type { Patience } from './step.ts';
import { StoredConfig } from './stored-config.ts';
import { type LongTimer, timerFor } from './timer.ts';

/** Injects {@link NetworkLimits}. */
export const NETWORK_LIMITS = Symbol('network-limits');

export interface NetworkLimits {
  /** Milliseconds that the network may take to come up. */
  readonly onlineMs: number;
}

export const usualLimits: NetworkLimits = { onlineMs: 30_000 };
/** Attempts to bring up a configuration that are made only with its firewall. */
const guardedAttempts = 4;
/** How long a stop waits for a change that is being made. */
const stopPatienceMs = 2_000;

interface Unconfirmed {
  readonly record: PendingRecord;
  readonly timer: LongTimer;
}

@Injectable()
export class NetworkConfigService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly pendingFile: PendingFile;
  private readonly stored: StoredConfig;
  private readonly last: LastChange;
  private readonly retry = new Retry();
  /** The change that is being made, with what it ends in. */
  private change: Promise<void> | undefined;
  /** Set while the change that is being made needs a confirmation. */
  private confirmedEarly: (() => void) | undefined;
  private unconfirmed: Unconfirmed | undefined;
  private trial: SystemNetworkConfig | undefined;
  private starting: Promise<void> = Promise.resolve();
  private trouble: string | undefined;

  /** Called after the machine was changed. */
  onChanged: () => void = () => undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NETWORK_STATE) private readonly store: StateStore<NetworkState>,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(NETWORK_LIMITS) private readonly limits: NetworkLimits,
    @Inject(ProviderNews) private readonly provider: ProviderNews,
    @Inject(ClockService) private readonly clock: ClockService,
  ) {
    this.pendingFile = new PendingFile(host);
    this.stored = new StoredConfig(host, store, logger);
    this.last = new LastChange(host, logger);
  }

  /** The configuration in force, confirmed or not. */
  get current(): SystemNetworkConfig | undefined {
    return this.trial ?? this.stored.current;
  }

  /** Whether a configuration is being applied. */
  get inProcess(): boolean {
    return this.change !== undefined;
  }

  /** What became of the last change; another object after each. */
  get lastChange(): SystemNetworkChange | undefined {
    return this.last.current;
  }

  /** Why the configuration that should be in force is not; it is being tried again. */
  get problem(): string | undefined {
    return this.trouble;
  }

  /** Resolves when the start brought the network up, or could not; addresses may still be missing. */
  started(): Promise<void> {
    return this.starting;
  }

  onApplicationBootstrap(): void {
    // Calls are answered meanwhile; a change waits for it.
    this.starting = this.track(this.resume()).catch(() => undefined);
  }

  async onApplicationShutdown(): Promise<void> {
    this.retry.close();
    this.unconfirmed?.timer.stop();
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

  /**
   * What {@link set} would change; changes nothing.
   * @throws DomainError as it does.
   */
  async plan(request: SystemNetworkConfig | undefined): Promise<SystemNetworkPlan> {
    const form = this.checkRequest(request);
    await this.starting;
    this.refuseSecond();
    this.refuseReadOnly();
    const cards = await this.stored.cards();
    const config = prepareConfig(form, { cards, configured: this.current });
    const change = await prepareChange(this.host, config);
    const plan = await describePlan(change, this.current);
    await checkChange(change).catch((error: unknown) => {
      throw new DomainError('OPERATION_FAILED', reasonOf(error), { cause: error });
    });
    return { ...plan, warnings: [...configWarnings(config, limitsOf(cards))] };
  }

  /** @throws DomainError when there is nothing to confirm, or it could not be saved. */
  async confirm(): Promise<void> {
    await this.starting;
    if (this.confirmedEarly !== undefined) {
      const { trial } = this;
      this.confirmedEarly();
      await this.change;
      if (this.stored.current === trial) return;
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
    await this.track(this.keep(unconfirmed.record));
    unconfirmed.timer.stop();
    this.logger.info('the network configuration was confirmed');
  }

  /** Applies the configuration of the state file, after it was replaced from outside. */
  async adopt(): Promise<void> {
    await this.starting;
    await this.idle();
    this.retry.reset();
    this.unconfirmed?.timer.stop();
    this.unconfirmed = undefined;
    this.trial = undefined;
    await this.track(this.adoptStored());
  }

  private async adoptStored(): Promise<void> {
    await this.pendingFile.remove();
    await this.bringUp().finally(() => this.provider.networkChanged());
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

  private refuseReadOnly(): void {
    const { problem } = this.store;
    if (problem === undefined) return;
    throw stateFailure(
      new StateRefusedError(
        `${problem.error.message}; the network can't be changed before it was decided how to go on`,
      ),
    );
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

  /** Waits until nothing is being changed; whoever goes on without waiting again is the next. */
  private async idle(): Promise<void> {
    while (this.change !== undefined) await this.change;
  }

  private async carryOut(request: SystemNetworkConfig): Promise<void> {
    const began = performance.now();
    const timeoutMs = timeoutOf(request);
    const deadline = timeoutMs === undefined ? undefined : began + timeoutMs;
    const cards = await this.stored.cards();
    const config = prepareConfig(request, { cards, configured: this.current });
    this.refuseReadOnly();
    const cardNames = rememberNames(cards, this.store.current.card_names);
    const record = await this.pendingFile.begin({ config, cardNames }, timeoutMs);
    await this.record(record);
    this.retry.stop();
    this.trial = config;
    let confirmed = deadline === undefined;
    if (!confirmed) {
      this.confirmedEarly = () => {
        confirmed = true;
      };
    }
    try {
      await applyConfig(this.host, config, { onlineMs: this.limits.onlineMs, deadline });
      this.onChanged();
      if (confirmed) await this.keep(record);
      else await this.awaitConfirmation(record, deadline ?? began);
    } catch (error) {
      throw await this.takeBack(error);
    } finally {
      this.confirmedEarly = undefined;
    }
    this.retry.reset();
    this.trouble = undefined;
    this.clock.follow(this.current);
    this.provider.networkChanged();
  }

  private async record(record: PendingRecord): Promise<void> {
    await this.pendingFile.write(record).catch((error: unknown) => {
      throw writeFailure(error);
    });
  }

  /** Makes a configuration that is applied the one to return to. */
  private async keep({ config, cardNames }: PendingRecord): Promise<void> {
    await this.stored.commit(config, cardNames).catch((error: unknown) => {
      throw stateFailure(error);
    });
    this.trial = undefined;
    this.unconfirmed = undefined;
    await this.last.remember('applied');
    await this.forgetRecord();
  }

  /** Nothing is lost when it stays: a start finds that what it speaks of was decided. */
  private async forgetRecord(): Promise<void> {
    await this.pendingFile.remove().catch((error: unknown) => {
      this.logger.warn('the record of the change of the network could not be removed', {
        error: reasonOf(error),
      });
    });
  }

  private async awaitConfirmation(record: PendingRecord, deadline: number): Promise<void> {
    await this.record({ ...record, phase: 'unconfirmed' });
    this.expect(record, deadline - performance.now());
    await this.rememberUnconfirmed(record);
  }

  private async rememberUnconfirmed({ confirmation }: PendingRecord): Promise<void> {
    if (confirmation !== undefined)
      await this.last.remember('unconfirmed', { deadline: confirmation.deadline });
  }

  private expect(record: PendingRecord, ms: number): void {
    this.trial = record.config;
    this.unconfirmed = { record, timer: timerFor(ms, () => void this.expire()) };
  }

  private async expire(): Promise<void> {
    // A confirmation that is being saved decides it.
    await this.idle();
    if (this.unconfirmed === undefined) return;
    const reason = unconfirmedReason(this.unconfirmed.record);
    this.logger.warn(`the network configuration is taken back: ${reason}`);
    await this.track(this.goBack(reason)).catch(() => undefined);
  }

  /** Restores the previous configuration after a failure; answers with the error for the caller. */
  private async takeBack(error: unknown): Promise<DomainError> {
    const why = reasonOf(error);
    this.logger.error('the network configuration could not be applied, the previous one comes back', {
      error: why,
      ...(error instanceof StepError ? { step: error.step } : {}),
    });
    const restored = await this.goBack(why).then(
      () => 'the previous configuration is in force again',
      (problem: unknown) =>
        `the previous configuration was put back but did not come up: ${reasonOf(problem)}`,
    );
    const cause = error instanceof StepError ? error.cause : error;
    const reason = cause instanceof DomainError ? cause.reason : 'OPERATION_FAILED';
    return new DomainError(reason, `${why}; ${restored}`, { cause: error });
  }

  /** @param reason why, for those who ask later. */
  private async goBack(reason: string): Promise<void> {
    this.trial = undefined;
    this.unconfirmed = undefined;
    // It is decided from here on: a start that finds the machine in between goes back too.
    await this.last.remember('rolled-back', { reason });
    await this.forgetRecord();
    await this.bringUp({ onlineMs: this.limits.onlineMs }).finally(() => this.provider.networkChanged());
  }

  /** What a start finds: nothing, a change that still may be confirmed, or one to take back. */
  private async resume(): Promise<void> {
    await this.last.load();
    const record = await this.pendingFile.read();
    if (record !== undefined && !(await this.settle(record))) {
      this.clock.follow(this.current);
      return;
    }
    await this.bringUp();
  }

  /**
   * Decides about a change that an earlier run of the service left.
   * @returns whether the configuration of the state file has to be applied.
   */
  private async settle(record: PendingRecord | 'unusable'): Promise<boolean> {
    if (record !== 'unusable') {
      if (JSON.stringify(record.config) === JSON.stringify(this.stored.current)) {
        await this.last.remember('applied');
        await this.forgetRecord();
        return true;
      }
      const left = await this.pendingFile.timeLeft(record);
      if (left > 0) {
        this.expect(record, left);
        await this.rememberUnconfirmed(record);
        this.logger.info('a network configuration still awaits its confirmation', {
          deadline: record.confirmation?.deadline,
        });
        return false;
      }
    }
    const reason = await this.interruption(record);
    this.logger.warn(`the network configuration is taken back: ${reason}`);
    await this.last.remember('rolled-back', { reason });
    await this.forgetRecord();
    return true;
  }

  private async interruption(record: PendingRecord | 'unusable'): Promise<string> {
    if (record === 'unusable') return 'the record of it on the disk is damaged';
    const when = record.phase === 'applying' ? 'while it was being applied' : 'before it was confirmed';
    if (!(await this.pendingFile.isOfThisBoot(record))) return `the machine was restarted ${when}`;
    return record.phase === 'applying' ? `the network service ended ${when}` : unconfirmedReason(record);
  }

  /**
   * Applies what the state file says, or the default of a first boot; tries it again until it is in force.
   * @param patience a start doesn't wait for the network.
   */
  private async bringUp(patience: Patience = {}): Promise<void> {
    try {
      // Closed for good, the machine would be lost.
      const unguarded = this.retry.failures >= guardedAttempts;
      await this.stored.apply({ ...patience, unguarded });
      this.retry.reset();
      this.trouble = undefined;
    } catch (error) {
      if (error instanceof StepError && error.cause instanceof NotOnlineError) {
        // All is set; it is the network around that doesn't answer.
        this.trouble = undefined;
        this.logger.warn('the network configuration is in force, but it is not online', {
          error: reasonOf(error),
        });
      } else {
        this.trouble = `the network configuration is not wholly in force: ${reasonOf(error)}`;
        this.bringUpLater(error);
      }
      throw error;
    } finally {
      this.onChanged();
      this.clock.follow(this.current);
    }
  }

  private bringUpLater(error: unknown): void {
    const delay = this.retry.after(() => {
      if (this.change !== undefined || this.unconfirmed !== undefined) return;
      this.track(this.bringUp()).then(
        () => this.logger.info('the network configuration is in force now'),
        () => undefined,
      );
    });
    this.logger.error('the network configuration is not wholly in force and will be tried again', {
      error: reasonOf(error),
      ...(error instanceof StepError ? { step: error.step } : {}),
      seconds: delay / 1000,
    });
  }
}

function unconfirmedReason({ confirmation }: PendingRecord): string {
  return `it was not confirmed within ${(confirmation?.timeoutMs ?? 0) / 1000} s`;
}

function writeFailure(error: unknown): DomainError {
  const full = error instanceof Error && 'code' in error && error.code === 'ENOSPC';
  const why = full ? 'no space is left on the disk' : 'the disk refused it';
  return new DomainError(full ? 'NO_SPACE' : 'OPERATION_FAILED', `the change could not be recorded: ${why}`, {
    cause: error,
  });
}
