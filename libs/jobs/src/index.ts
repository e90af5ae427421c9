/** Long work and schedules of one service: BullMQ queues on Valkey, which hold nothing that can't be rebuilt. */
export { Jobs, type JobsOptions, openJobs } from './jobs.ts';
export { JOBS, provideJobs } from './provide-jobs.ts';
export type { JobContext, JobHandler, JobKind, StartOptions } from './job-kind.ts';
export type { JobProgress, JobState, JobView } from './job-view.ts';
export type { Schedule } from './schedules.ts';
