/**
 * The jobs of one service.
 *
 * Invariants: nothing of a service waits for Valkey but what needs a job, and that fails at once while it is gone;
 * BullMQ is loaded after the start, since it is heavy; each queue has one worker and one process that writes its
 * schedules. Everything in Valkey can be lost: schedules are put back, and what a job does can be begun anew.
 */
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { currentCall, DomainError, type Logger, runDirectory, type ServiceName } from '@incusos/service';
import type { JobsOptions as BullJobOptions, Queue } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobHandler, JobKind, StartOptions } from './job-kind.ts';
import { JobRunner } from './job-runner.ts';
import { type JobEnvelope, type JobView, viewOf } from './job-view.ts';
import { requireNoSecrets } from './payload.ts';
import { type Schedule, Schedules } from './schedules.ts';
import { openProducerClient } from './valkey.ts';

export interface JobsOptions {
  readonly service: ServiceName;
  readonly logger: Logger;
  /** Valkey's socket; `INCUSOS_VALKEY_SOCKET`, or `valkey.sock` in the run directory, unless given. */
  readonly socket?: string;
  /** Milliseconds after the start until Valkey is looked for; 1 000 unless given. A job asked for earlier doesn't wait. */
  readonly startDelayMs?: number;
}

const prefix = 'incusos';
/** How long the first connection may take before a job asked for meanwhile is refused. */
const firstConnectionMs = 1_000;
const week = 7 * 24 * 60 * 60;
const jobOptions = {
  attempts: 1,
  stackTraceLimit: 0,
  removeOnComplete: { count: 100, age: week },
  removeOnFail: { count: 100, age: week },
} satisfies BullJobOptions;

/** Opens the queue of a service. Give it to Nest as a provider, whose start and stop it then follows. */
export function openJobs(options: JobsOptions): Jobs {
  return new Jobs(options);
}

export class Jobs {
  private readonly socket: string;
  private readonly schedules = new Schedules();
  private readonly runner: JobRunner;
  private starting: Promise<void> | undefined;
  private startTimer: NodeJS.Timeout | undefined;
  private client: Redis | undefined;
  /** There while Valkey is. */
  private queue: Queue<JobEnvelope> | undefined;
  private wasLost = false;
  private closed = false;
  private readonly waiting = new Set<() => void>();

  constructor(private readonly options: JobsOptions) {
    this.socket =
      options.socket ?? process.env['INCUSOS_VALKEY_SOCKET'] ?? join(runDirectory(), 'valkey.sock');
    this.runner = new JobRunner(options.logger);
  }

  /** Whether jobs can be started right now. */
  get available(): boolean {
    return this.queue !== undefined;
  }

  /**
   * Says how a kind of job is done. To be called for all of them before the service has started.
   * @throws Error when the name is taken.
   */
  handle<D>(name: string, handler: JobHandler<D>): JobKind<D> {
    if (!/^[a-z][a-z0-9-]*$/u.test(name)) throw new Error(`'${name}' is no name for a job`);
    // What comes out of the queue is what `start` and `schedule` of this kind put in.
    this.runner.add(name, handler as JobHandler<unknown>);
    return {
      name,
      start: async (data, options) => this.start(name, data, options),
      schedule: async (schedule, when, data) => this.schedule(schedule, name, when, data),
    };
  }

  /** Ends a schedule; works while the queue is gone. */
  async unschedule(name: string): Promise<void> {
    this.schedules.remove(name);
    await this.matchSchedules();
  }

  /**
   * One job, as long as it is kept: the newest 100 finished ones, for at most a week.
   * @throws DomainError UNAVAILABLE when the queue is gone.
   */
  async find(id: string): Promise<JobView | undefined> {
    return this.withQueue(async (queue) => {
      const job = await queue.getJob(id);
      if (job === undefined) return undefined;
      const state = await job.getState();
      return state === 'unknown' ? undefined : viewOf(job, state);
    });
  }

  /**
   * All jobs, newest first, those that wait for their schedule included.
   * @throws DomainError UNAVAILABLE when the queue is gone.
   */
  async list(): Promise<JobView[]> {
    return this.withQueue(async (queue) => {
      const states = ['active', 'waiting', 'delayed', 'completed', 'failed'] as const;
      const found = await Promise.all(
        states.map(async (state) => (await queue.getJobs(state, 0, 200)).map((job) => viewOf(job, state))),
      );
      return found.flat().toSorted((a, b) => b.createdAt.localeCompare(a.createdAt));
    });
  }

  /** Nest calls it once the application is up: looks for Valkey after a while, so that the start isn't slowed down. */
  onApplicationBootstrap(): void {
    this.startTimer = setTimeout(() => {
      this.begin().catch((error: unknown) =>
        this.options.logger.error('jobs could not be started', { error: String(error) }),
      );
    }, this.options.startDelayMs ?? 1_000);
    this.startTimer.unref();
  }

  /** Nest calls it when the application stops. Interrupted jobs are begun anew at the next start. */
  async onModuleDestroy(): Promise<void> {
    this.closed = true;
    clearTimeout(this.startTimer);
    await this.starting?.catch(() => undefined);
    await this.runner.stop();
    this.queue?.close().catch(() => undefined);
    this.queue = undefined;
    this.client?.disconnect();
  }

  private async start(name: string, data: unknown, { once }: StartOptions = {}): Promise<string> {
    requireNoSecrets(data);
    const envelope = this.envelope(data);
    return this.withQueue(async (queue) => {
      const job = await queue.add(name, envelope, {
        ...jobOptions,
        ...(once === undefined ? {} : { deduplication: { id: `${name}/${once}` } }),
      });
      if (job.id === undefined) throw new Error('the queue gave the job no id');
      return job.id;
    });
  }

  private async schedule(schedule: string, job: string, when: Schedule, data: unknown): Promise<void> {
    requireNoSecrets(data);
    await Schedules.check(when);
    this.schedules.set(schedule, { ...when, job, envelope: { payload: data } });
    await this.matchSchedules();
  }

  private envelope(payload: unknown): JobEnvelope {
    const correlationId = currentCall()?.correlationId;
    return correlationId === undefined ? { payload } : { payload, correlationId };
  }

  /** A schedule that can't be written now is written when Valkey is back. */
  private async matchSchedules(): Promise<void> {
    const { queue } = this;
    if (queue === undefined) return;
    await this.schedules.match(queue, jobOptions).catch((error: unknown) => {
      if (this.queue === queue)
        this.options.logger.warn('schedules could not be written', { error: String(error) });
    });
  }

  private begin(): Promise<void> {
    this.starting ??= this.connect();
    return this.starting;
  }

  private async connect(): Promise<void> {
    if (this.closed) return;
    const client = await openProducerClient(this.socket);
    this.client = client;
    client.on('error', () => this.lost());
    client.on('close', () => this.lost());
    client.on('ready', () => {
      this.found(client).catch((error: unknown) => {
        this.options.logger.debug('job queue', { error: String(error) });
        client.disconnect(true);
      });
    });
    await this.runner.start(this.socket, this.options.service, prefix);
  }

  /** The queue is opened anew each time: Valkey may have come back empty. */
  private async found(client: Redis): Promise<void> {
    const { Queue } = await import('bullmq');
    if (this.closed || !isReady(client)) return;
    const queue = new Queue<JobEnvelope>(this.options.service, { connection: client, prefix });
    queue.on('error', (error) => this.options.logger.debug('job queue', { error: error.message }));
    await queue.waitUntilReady();
    // The status is another one when the connection was lost meanwhile.
    if (!isReady(client)) return;
    this.queue = queue;
    if (this.wasLost) this.options.logger.info('the job queue is available again');
    this.wasLost = false;
    for (const wake of this.waiting) wake();
    await this.matchSchedules();
  }

  private lost(): void {
    // Takes its listeners off the connection, which stays.
    this.queue?.close().catch(() => undefined);
    this.queue = undefined;
    if (this.wasLost || this.closed) return;
    this.wasLost = true;
    this.options.logger.warn('the job queue is not available; jobs and schedules wait until it is back');
    for (const wake of this.waiting) wake();
  }

  private async withQueue<R>(work: (queue: Queue<JobEnvelope>) => Promise<R>): Promise<R> {
    const queue = await this.current();
    if (queue === undefined) throw unavailable();
    try {
      return await work(queue);
    } catch (error) {
      this.options.logger.warn('the job queue did not do as it was told', { error: String(error) });
      throw unavailable(error);
    }
  }

  private async current(): Promise<Queue<JobEnvelope> | undefined> {
    if (!this.available && !this.closed) {
      await this.begin();
      if (!this.wasLost) await this.firstConnection();
    }
    return this.queue;
  }

  private async firstConnection(): Promise<void> {
    if (this.available) return;
    const limit = new AbortController();
    const decided = new Promise<void>((resolve) => {
      this.waiting.add(resolve);
      limit.signal.addEventListener('abort', () => this.waiting.delete(resolve));
    });
    await Promise.race([decided, sleep(firstConnectionMs, undefined, { signal: limit.signal, ref: false })]);
    limit.abort();
  }
}

function isReady(client: Redis): boolean {
  return client.status === 'ready';
}

function unavailable(cause?: unknown): DomainError {
  return new DomainError('UNAVAILABLE', 'the job queue is not available right now, try again in a moment', {
    cause,
  });
}
