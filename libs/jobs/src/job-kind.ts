import type { JobProgress } from './job-view.ts';
import type { Schedule } from './schedules.ts';

/** One run of a job. */
export interface JobContext<D> {
  readonly id: string;
  readonly data: D;
  /** Aborts when the process stops; the job is then begun anew at the next start. */
  readonly signal: AbortSignal;
  /** Says how far it is. May be called often; it costs the job nothing, even while the queue is gone. */
  readonly progress: (progress: JobProgress) => void;
}

/**
 * Does a job. It may be run again after a crash at any point, so it has to be repeatable. A `DomainError` it throws is
 * shown to whoever asks for the job.
 */
export type JobHandler<D> = (job: JobContext<D>) => Promise<void>;

export interface StartOptions {
  /** While a job started with this key is unfinished, no second one is: the first one's id is the answer. */
  readonly once?: string;
}

/** A kind of job that a service can do. `D` has to survive JSON and must hold no secrets. */
export interface JobKind<D> {
  readonly name: string;
  /**
   * Puts a job into the queue.
   * @returns its id.
   * @throws DomainError UNAVAILABLE when the queue is gone.
   */
  start(data: D, options?: StartOptions): Promise<string>;
  /**
   * Does it by a schedule from now on, in place of the schedule of that name. Works while the queue is gone and takes
   * effect when it is back.
   * @throws DomainError INVALID_REQUEST when cron expression or time zone make no sense.
   */
  schedule(name: string, when: Schedule, data: D): Promise<void>;
}
