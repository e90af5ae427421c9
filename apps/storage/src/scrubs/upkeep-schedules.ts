/** Scrubs and trims on their schedules, in the system's time zone: pool after pool, those under way already left out. */
import { HOST, type Host, readTimeZone } from '@incusos/host';
import { type JobContext, type JobKind, JOBS, type Jobs } from '@incusos/jobs';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import type { StorageState } from '../config/storage-state.ts';
import { Inventory } from '../inventory/inventory.ts';
import { ScrubsService, type Upkeep, underWay } from './scrubs.service.ts';

/** The end is announced; this is for when it wasn't. */
const pollMs = 60_000;

@Injectable()
export class UpkeepSchedules {
  private readonly kinds: Readonly<Record<Upkeep, JobKind<Record<string, never>>>>;
  private followed: StorageState | undefined;
  private zone = 'UTC';

  constructor(
    @Inject(JOBS) private readonly jobs: Jobs,
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(ScrubsService) private readonly scrubs: ScrubsService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.kinds = {
      scrub: jobs.handle('pool-scrub', (context: JobContext<Record<string, never>>) =>
        this.run('scrub', context),
      ),
      trim: jobs.handle('pool-trim', (context: JobContext<Record<string, never>>) =>
        this.run('trim', context),
      ),
    };
  }

  /** Makes the schedules those of a configuration, now and after the system's time zone changed. */
  async follow(state: StorageState): Promise<void> {
    this.followed = state;
    this.zone = await readTimeZone(this.host.files);
    await this.schedule('scrub', state.scrub_schedule);
    await this.schedule('trim', state.trim_schedule);
  }

  /** Looks again at the time zone, which another service sets. */
  async zoneMayHaveChanged(): Promise<void> {
    if (this.followed !== undefined && (await readTimeZone(this.host.files)) !== this.zone)
      await this.follow(this.followed);
  }

  private async schedule(what: Upkeep, cron: string): Promise<void> {
    try {
      if (cron === '') await this.jobs.unschedule(`pool-${what}`);
      else await this.kinds[what].schedule(`pool-${what}`, { cron, timezone: this.zone }, {});
    } catch (error) {
      this.logger.warn(`the ${what} schedule could not be set`, {
        error: reasonOf(error),
      });
    }
  }

  private async run(what: Upkeep, { progress, signal }: JobContext<Record<string, never>>): Promise<void> {
    const pools = (await this.inventory.refresh()).survey.statuses.map(({ name }) => name);
    for (const [index, pool] of pools.entries()) {
      signal.throwIfAborted();
      progress({ percent: Math.floor((index / pools.length) * 100), message: `${what} of zpool ${pool}` });
      try {
        await this.scrubs.start(what, pool);
      } catch (error) {
        // Under way already, or gone since; neither keeps the others from their turn.
        if (!(error instanceof DomainError)) throw error;
        this.logger.warn(`scheduled ${what} of a pool was skipped`, { pool, reason: error.message });
        continue;
      }
      await this.untilOver(what, pool, signal);
    }
  }

  private async untilOver(what: Upkeep, pool: string, signal: AbortSignal): Promise<void> {
    for (;;) {
      const status = (await this.inventory.read()).survey.status(pool);
      if (status === undefined || !underWay(what, status)) return;
      await this.inventory.nextChange(pollMs, signal);
    }
  }
}
