/**
 * The schedules of one service.
 *
 * Invariant: the service's process is the only one that writes the schedulers of its queue, and what it was told is
 * the truth: the queue is made to match whenever the connection to it comes up.
 */
import { DomainError, ExclusiveRunner, reasonOf } from '@incusos/service';
import type { Queue } from 'bullmq';
import type { JobEnvelope } from './job-view.ts';

/** When something is done again and again. */
export interface Schedule {
  /** crontab(5): minute, hour, day of month, month, day of week. */
  readonly cron: string;
  /** IANA name, such as `Europe/Vienna`; `UTC` unless given. */
  readonly timezone?: string;
}

interface Entry extends Schedule {
  readonly job: string;
  readonly envelope: JobEnvelope;
}

export class Schedules {
  private readonly entries = new Map<string, Entry>();
  private readonly runner = new ExclusiveRunner();

  /** @throws DomainError INVALID_REQUEST when cron expression or time zone make no sense. */
  static async check({ cron, timezone = 'UTC' }: Schedule): Promise<void> {
    const { CronExpressionParser } = await import('cron-parser');
    try {
      CronExpressionParser.parse(cron, { tz: timezone }).next();
    } catch (error) {
      const reason = reasonOf(error);
      throw new DomainError(
        'INVALID_REQUEST',
        `invalid schedule '${cron}' in time zone '${timezone}': ${reason}`,
        { cause: error },
      );
    }
  }

  set(name: string, entry: Entry): void {
    this.entries.set(name, entry);
  }

  remove(name: string): void {
    this.entries.delete(name);
  }

  /** Makes the queue's schedulers those of this process. */
  match(queue: Queue<JobEnvelope>, options: object): Promise<void> {
    return this.runner.run(async () => {
      for (const { key } of await queue.getJobSchedulers()) {
        if (!this.entries.has(key)) await queue.removeJobScheduler(key);
      }
      for (const [name, { cron, timezone = 'UTC', job, envelope }] of this.entries) {
        await queue.upsertJobScheduler(
          name,
          { pattern: cron, tz: timezone },
          { name: job, data: envelope, opts: options },
        );
      }
    });
  }
}
