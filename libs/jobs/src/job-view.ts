import type { Job } from 'bullmq';

/** How far a job is. */
export interface JobProgress {
  /** 0 to 100. */
  readonly percent?: number;
  /** What it does right now, for a person. */
  readonly message?: string;
}

export type JobState = 'waiting' | 'scheduled' | 'running' | 'succeeded' | 'failed';

/** A job as it can be shown. */
export interface JobView {
  readonly id: string;
  readonly name: string;
  readonly state: JobState;
  readonly progress: JobProgress;
  /** What it was started with. */
  readonly data: unknown;
  /** Why it failed. */
  readonly error?: string;
  /** RFC 3339, as are the next two. */
  readonly createdAt: string;
  readonly startedAt?: string;
  readonly finishedAt?: string;
}

/** What is kept in the queue for one job. */
export interface JobEnvelope {
  readonly payload: unknown;
  /** Of the request that asked for it. */
  readonly correlationId?: string;
}

/** BullMQ's word for a state in ours. */
function jobState(state: string): JobState {
  switch (state) {
    case 'active':
      return 'running';
    case 'completed':
      return 'succeeded';
    case 'failed':
      return 'failed';
    case 'delayed':
      return 'scheduled';
    default:
      return 'waiting';
  }
}

export function viewOf(job: Job<JobEnvelope>, state: string): JobView {
  const { progress, failedReason, processedOn, finishedOn } = job;
  return {
    id: job.id ?? '',
    name: job.name,
    state: jobState(state),
    progress: typeof progress === 'object' ? progress : {},
    data: job.data.payload,
    createdAt: time(job.timestamp),
    ...(state === 'failed' ? { error: failedReason } : {}),
    ...(processedOn === undefined ? {} : { startedAt: time(processedOn) }),
    ...(finishedOn === undefined ? {} : { finishedAt: time(finishedOn) }),
  };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
