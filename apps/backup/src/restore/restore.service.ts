/**
 * Restores a backup in all services or in none.
 *
 * Each service first checks its part and keeps it aside; when all have, the decision is written to the journal, and
 * from then on each is told to put it in place, for as long as it takes. A crash of anyone before the decision leaves
 * everything as it was, and after it the restore is carried to its end at the next start.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import {
  type CallContext,
  DomainError,
  type ErrorReason,
  LOGGER,
  type Logger,
  runInCall,
} from '@incusos/service';
import { stateFailure, type StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import type { Backup } from '../archive/backup.ts';
import { wrong } from '../archive/manifest.ts';
import { StateOwners } from '../owners/state-owners.ts';
import { Restart } from './restart.ts';
import {
  RESTORE_JOURNAL,
  type RestoreEntry,
  type RestoreJournal,
  type RestoreJournalStore,
} from './restore-journal.ts';

const retryMs = 500;
const longestRetryMs = 10_000;
/** How long a caller is kept waiting for a service that has to come back. */
const patienceMs = 60_000;
/** How long a caller waits for services to drop what they kept aside, before it hears why its restore failed. */
const tidyMs = 2_000;
/** Asking again changes nothing about these. */
const final: ReadonlySet<ErrorReason> = new Set([
  'NOT_FOUND',
  'NOT_IMPLEMENTED',
  'PRECONDITION_FAILED',
  'INVALID_REQUEST',
]);
const never = new Date(8_640_000_000_000_000);

@Injectable()
export class RestoreService
  implements OnApplicationBootstrap, OnModuleDestroy, StateOwnerHooks<RestoreJournal>
{
  private readonly stopping = new AbortController();
  private busy = false;
  /** A failed restore is being dropped. */
  private tidying = false;

  constructor(
    @Inject(RESTORE_JOURNAL) private readonly journal: RestoreJournalStore,
    @Inject(StateOwners) private readonly owners: StateOwners,
    @Inject(Restart) private readonly restart: Restart,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Whether services may be changing right now, one after the other. */
  get committing(): boolean {
    return this.busy && this.journal.current.restore?.phase === 'committing';
  }

  onApplicationBootstrap(): void {
    this.resume();
  }

  /** Called when a journal that was refused is usable again. */
  apply(): void {
    this.resume();
  }

  onModuleDestroy(): void {
    this.stopping.abort();
  }

  /**
   * Puts a backup in place and has the machine rebooted afterwards.
   * @param skip tokens that the services know, such as `network-macs`.
   * @throws DomainError when nothing was changed, or UNAVAILABLE while the rest of it still has to happen.
   */
  async restore(backup: Backup, skip: readonly string[], call: CallContext): Promise<void> {
    const unknown = backup.services.find(({ service }) => !this.owners.services.includes(service));
    if (unknown !== undefined)
      throw wrong(`it has state of the service '${unknown.service}', which isn't there`);
    if (backup.services.length === 0) throw wrong('it has no state of any service');
    this.requireIdle();
    this.busy = true;
    const entry: RestoreEntry = {
      id: randomUUID(),
      phase: 'staging',
      services: backup.services.map(({ service }) => service),
      started_at: new Date().toISOString(),
    };
    try {
      await this.journal.commit('restore: staging', () => ({ restore: entry }));
    } catch (error) {
      this.busy = false;
      throw stateFailure(error);
    }
    let decided: RestoreEntry;
    try {
      decided = await this.decide(entry, backup, skip, call);
    } catch (error) {
      // What the services kept aside is dropped; one that is away drops it when it is back.
      await this.within(tidyMs, this.inBackground(this.giveUp(entry)));
      throw stateFailure(error);
    }
    const finished = this.inBackground(this.carryOut(decided));
    const patience = Math.min(patienceMs, call.deadline.getTime() - Date.now() - retryMs);
    if (await this.within(patience, finished)) return;
    throw new DomainError(
      'UNAVAILABLE',
      'the backup will be restored, but a service is not available right now; it goes on as soon as it is',
    );
  }

  /** Carries an interrupted restore to its end. What a refused journal's predecessor says is out of date. */
  private resume(): void {
    const { restore } = this.journal.current;
    if (restore === undefined || this.journal.problem !== undefined || this.busy) return;
    this.logger.info('a restore was interrupted', { restore_id: restore.id, phase: restore.phase });
    this.busy = true;
    const work = restore.phase === 'committing' ? this.carryOut(restore) : this.giveUp(restore);
    void this.inBackground(work);
  }

  private requireIdle(): void {
    if (!this.busy) return;
    if (this.journal.current.restore?.phase === 'staging' && this.tidying) {
      throw new DomainError(
        'UNAVAILABLE',
        'an earlier restore that failed is still being cleaned up, because a service is not available; try again in a moment',
      );
    }
    throw new DomainError('CONFLICT', 'another restore is under way');
  }

  private async decide(
    entry: RestoreEntry,
    backup: Backup,
    skip: readonly string[],
    call: CallContext,
  ): Promise<RestoreEntry> {
    const { signal } = call;
    const staged = await Promise.allSettled(
      backup.services.map(async (part) => this.owners.stage({ id: entry.id, skip }, part, signal)),
    );
    const failed = staged.find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    signal.throwIfAborted();
    const decided: RestoreEntry = { ...entry, phase: 'committing' };
    await this.journal.commit('restore: committing', () => ({ restore: decided }));
    this.logger.info('a backup is being restored', {
      restore_id: entry.id,
      os_release: backup.osRelease,
      created_at: backup.createdAt,
    });
    return decided;
  }

  /** After the decision nothing gives up any more: neither the caller's patience nor a service that is away. */
  private carryOut(entry: RestoreEntry): Promise<void> {
    return this.detached(entry, async () => {
      await this.inAll(entry, 'put in place', async (service) => this.owners.commit(service, entry.id));
      await this.forget(entry);
      this.logger.info('a restore is complete', { restore_id: entry.id });
      void this.inBackground(this.restart.soon(this.stopping.signal));
    });
  }

  private giveUp(entry: RestoreEntry): Promise<void> {
    return this.detached(entry, async () => {
      this.tidying = true;
      await this.inAll(entry, 'dropped', async (service) => this.owners.abort(service, entry.id));
      await this.forget(entry);
      this.tidying = false;
    });
  }

  /** Work that neither the caller's cancellation nor its deadline ends. */
  private detached<R>({ id }: RestoreEntry, work: () => Promise<R>): Promise<R> {
    return runInCall({ correlationId: id, deadline: never, signal: this.stopping.signal }, work);
  }

  /** Does the same in all services until it succeeded in each. */
  private async inAll(
    { id, services }: RestoreEntry,
    what: string,
    work: (service: string) => Promise<void>,
  ): Promise<void> {
    const left = new Set(services);
    const attempt = async (service: string, first: boolean): Promise<void> => {
      try {
        await work(service);
        left.delete(service);
      } catch (error) {
        const details = { service, restore_id: id, error: String(error) };
        if (error instanceof DomainError && final.has(error.reason)) {
          this.logger.error(`a restore can't be ${what}`, details);
          left.delete(service);
        } else if (first) {
          this.logger.warn(`a restore could not be ${what} yet`, details);
        }
      }
    };
    for (let delay = retryMs, first = true; ; delay = Math.min(2 * delay, longestRetryMs), first = false) {
      await Promise.all([...left].map(async (service) => attempt(service, first)));
      if (left.size === 0) return;
      await sleep(delay, undefined, { signal: this.stopping.signal });
    }
  }

  private async forget({ id }: RestoreEntry): Promise<void> {
    for (;;) {
      try {
        await this.journal.commit('restore: done', () => ({}));
        this.busy = false;
        return;
      } catch (error) {
        this.logger.warn('the end of a restore could not be recorded yet', {
          restore_id: id,
          error: String(error),
        });
        await sleep(retryMs, undefined, { signal: this.stopping.signal });
      }
    }
  }

  /** Whether `work` ends within some time. */
  private async within(milliseconds: number, work: Promise<boolean>): Promise<boolean> {
    const limit = new AbortController();
    const patience = sleep(Math.max(0, milliseconds), false, { signal: limit.signal, ref: false });
    return Promise.race([work, patience]).finally(() => limit.abort());
  }

  /** Lets work go on whoever waits for it; says whether it came to its end. */
  private async inBackground(work: Promise<void>): Promise<boolean> {
    try {
      await work;
      return true;
    } catch (error) {
      if (!this.stopping.signal.aborted)
        this.logger.error('a restore failed unexpectedly', { error: String(error) });
      return false;
    }
  }
}
