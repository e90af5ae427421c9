import { LOGGER, type Logger, type ServiceName } from '@incusos/service';
import { openJobs, type Jobs } from './jobs.ts';

/** Injects the service's {@link Jobs}. */
export const JOBS = Symbol('jobs');

/** The provider of a service's jobs, which start and stop with its module. */
export function provideJobs(service: ServiceName): {
  provide: symbol;
  inject: symbol[];
  useFactory: (logger: Logger) => Jobs;
} {
  return { provide: JOBS, inject: [LOGGER], useFactory: (logger) => openJobs({ service, logger }) };
}
