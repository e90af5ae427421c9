/**
 * Checks that nobody asks for: one after the start, and then again and again by the configuration.
 *
 * Invariant: at any time one next check is planned. It is kept in the job queue as the minute it is due; without the
 * queue nothing is lost, since the plan is made anew at every start and with every change of the configuration.
 */
import { HOST, type Host, readTimeZone } from '@incusos/host';
import { type JobKind, JOBS, type Jobs } from '@incusos/jobs';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnModuleDestroy } from '@nestjs/common';
import { statusTexts } from '../checks/update-status.ts';
import { UpdateChecks } from '../checks/update-checks.service.ts';
import { weekTime } from '../machine/wall-clock.ts';
import { UPDATE_STATE, type UpdateStore } from '../state/update-state.ts';
import { cronOf, type NextCheck, nextCheck } from './next-check.ts';
import { APPLICATIONS_CLIENT, type ApplicationsClient, isPrimaryInstalled } from './primary-application.ts';

/** Injects the {@link ScheduleTimes} in force. */
export const SCHEDULE_TIMES = Symbol('schedule-times');

export interface ScheduleTimes {
  /** Milliseconds from the start of the service to the first check, by when the other services are up. */
  readonly firstCheckMs: number;
}

export const scheduleTimes: ScheduleTimes = { firstCheckMs: 10_000 };

const scheduleName = 'periodic-check';
/** How much earlier than planned a check may come. */
const toleranceMs = 1_000;

@Injectable()
export class CheckSchedule implements OnApplicationBootstrap, OnModuleDestroy {
  private readonly kind: JobKind<Record<string, never>>;
  private readonly startedAt = new Date();
  private firstCheck: NodeJS.Timeout | undefined;
  private planned: NextCheck | undefined;
  /** A periodic check may take longer than the shortest frequency. */
  private checking = false;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(UPDATE_STATE) private readonly store: UpdateStore,
    @Inject(UpdateChecks) private readonly checks: UpdateChecks,
    @Inject(APPLICATIONS_CLIENT) private readonly applications: ApplicationsClient,
    @Inject(SCHEDULE_TIMES) private readonly times: ScheduleTimes,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(JOBS) jobs: Jobs,
  ) {
    this.kind = jobs.handle('check', () => this.periodic());
  }

  /** The next check as it is planned. */
  get next(): NextCheck | undefined {
    return this.planned;
  }

  onApplicationBootstrap(): void {
    this.firstCheck = setTimeout(() => void this.startup(), this.times.firstCheckMs);
    this.firstCheck.unref();
  }

  onModuleDestroy(): void {
    clearTimeout(this.firstCheck);
  }

  /** Plans the next check by the configuration in force. */
  replan(): void {
    this.plan().catch((error: unknown) => {
      this.logger.error('the next update check could not be planned', { error: String(error) });
    });
  }

  private async startup(): Promise<void> {
    if (!(await this.primaryInstalled()) || this.store.current.update.check_frequency !== 'never') {
      await this.checks.runUnattended('startup');
    }
    this.replan();
  }

  private async periodic(): Promise<void> {
    const due = await this.plan();
    if (!due || this.checking) return;
    this.checking = true;
    await this.checks.runUnattended('periodic');
    this.checking = false;
    this.replan();
  }

  /** @returns whether a check is due now. */
  private async plan(): Promise<boolean> {
    const now = new Date();
    const due =
      this.planned !== undefined &&
      this.planned.check &&
      this.planned.at.getTime() - toleranceMs <= now.getTime();
    const lastCheck = this.checks.status.lastCheck ?? this.startedAt;
    const zone = await readTimeZone(this.host.files);
    this.planned = nextCheck(this.store.current.update, {
      now,
      lastCheck,
      lastCheckTime: weekTime(lastCheck, zone),
      primaryInstalled: await this.primaryInstalled(),
    });
    await this.kind.schedule(scheduleName, { cron: cronOf(this.planned.at, now) }, {});
    return due;
  }

  /** Asked only where it makes a difference. Whoever said `never` is not checked against their will by a failure. */
  private async primaryInstalled(): Promise<boolean> {
    if (this.store.current.update.check_frequency !== 'never') return true;
    try {
      return await isPrimaryInstalled(this.applications);
    } catch (error) {
      const why = reasonOf(error);
      this.checks.status.failed(statusTexts.primaryUnknown, why);
      this.logger.warn(statusTexts.primaryUnknown, { error: why });
      return true;
    }
  }
}
