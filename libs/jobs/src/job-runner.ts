/**
 * Runs the jobs of one queue with the handlers of this process.
 *
 * Invariants: a name has one handler; a job that is interrupted by the process's stop goes back into the queue; what
 * leaves a failed job is a sentence for its reader, never a stack.
 */
import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { DomainError, type Logger, runInCall } from '@incusos/service';
import type { Job, Worker } from 'bullmq';
import type { Redis } from 'ioredis';
import type { JobHandler } from './job-kind.ts';
import type { JobEnvelope, JobProgress } from './job-view.ts';
import { openWorkerClient } from './valkey.ts';

/** Jobs at the same time; what must not overlap is kept apart by the service. */
const concurrency = 4;
/** A process has 5 s to stop, of which running calls may have taken 3. */
const stopLimitMs = 1_500;
/** A job's own time has no limit; a deadline has to be some date. */
const never = new Date(8_640_000_000_000_000);

export class JobRunner {
  private readonly handlers = new Map<string, JobHandler<unknown>>();
  private readonly stopping = new AbortController();
  private worker: Worker<JobEnvelope> | undefined;
  private client: Redis | undefined;

  constructor(private readonly logger: Logger) {}

  /** @throws Error when the name is taken. */
  add(name: string, handler: JobHandler<unknown>): void {
    if (this.handlers.has(name)) throw new Error(`job ${name} has a handler already`);
    this.handlers.set(name, handler);
  }

  /** Starts taking jobs from a queue, as soon as Valkey is there. */
  async start(socket: string, queue: string, prefix: string): Promise<void> {
    const { Worker, WaitingError } = await import('bullmq');
    const client = await openWorkerClient(socket);
    this.client = client;
    const putBack = async (job: Job<JobEnvelope>, token: string | undefined): Promise<never> => {
      await job.moveToWait(token);
      throw new WaitingError();
    };
    const work = async (job: Job<JobEnvelope>, token?: string, signal?: AbortSignal): Promise<void> => {
      // A fetch that is under way when the stop begins may still bring a job, even the one just put back.
      if (this.stopping.signal.aborted) await putBack(job, token);
      try {
        await this.run(job, signal ?? this.stopping.signal);
      } catch (error) {
        if (!this.stopping.signal.aborted) throw this.shown(job, error);
        await putBack(job, token);
      }
    };
    this.worker = new Worker<JobEnvelope>(queue, work, {
      connection: client,
      prefix,
      concurrency,
      // How soon it asks again after Valkey was gone.
      runRetryDelay: 1_000,
      // A killed process's jobs are begun anew once their locks ran out, as often as it takes.
      lockDuration: 15_000,
      stalledInterval: 15_000,
      maxStalledCount: 1_000,
    });
    // The loss of the connection is told by the connection for putting jobs in.
    this.worker.on('error', (error) => this.logger.debug('job worker', { error: error.message }));
  }

  /** Interrupts running jobs and lets go of Valkey, within 1.5 s. */
  async stop(): Promise<void> {
    this.stopping.abort(new DomainError('CANCELLED', 'the service stops'));
    const { worker } = this;
    if (worker !== undefined) {
      worker.cancelAllJobs('the service stops');
      const limit = new AbortController();
      await Promise.race([
        worker.close(),
        sleep(stopLimitMs, undefined, { signal: limit.signal, ref: false }),
      ]);
      limit.abort();
      // Whatever is still under way loses its connection; its end isn't waited for.
      worker.disconnect().catch(() => undefined);
    }
    this.client?.disconnect();
  }

  private async run(job: Job<JobEnvelope>, signal: AbortSignal): Promise<void> {
    const handler = this.handlers.get(job.name);
    if (handler === undefined)
      throw new DomainError('NOT_IMPLEMENTED', `nothing here does the job '${job.name}'`);
    const { payload, correlationId = randomUUID() } = job.data;
    const context = { correlationId, deadline: never, signal };
    await runInCall(context, () =>
      handler({
        id: job.id ?? '',
        data: payload,
        signal,
        progress: (progress) => this.report(job, progress),
      }),
    );
  }

  private report(job: Job<JobEnvelope>, progress: JobProgress): void {
    job
      .updateProgress({ ...progress })
      .catch((error: unknown) => this.logger.debug('job progress', { error: String(error) }));
  }

  private shown(job: Job<JobEnvelope>, error: unknown): Error {
    const known = error instanceof DomainError && error.reason !== 'INTERNAL';
    const detail = error instanceof Error && !known ? (error.stack ?? error.message) : String(error);
    this.logger.warn('job failed', { job: job.name, job_id: job.id, error: detail });
    return new Error(known ? error.message : 'an internal error occurred; the log has the details');
  }
}
