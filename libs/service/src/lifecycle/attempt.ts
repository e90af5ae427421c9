import { reasonOf } from '../errors/error-text.ts';
import type { Logger } from '../logging/logger.ts';

/**
 * Does something that a service can go on without: what it throws is an error in the log.
 * @param failure the sentence for the log.
 */
export async function attempt(logger: Logger, failure: string, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } catch (error) {
    logger.error(failure, { error: reasonOf(error) });
  }
}
