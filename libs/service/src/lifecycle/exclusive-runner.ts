/**
 * Runs the operations of one domain one after another.
 *
 * Invariants: at most one runs at a time, in the order asked for; one whose caller gave up before its turn never
 * starts; a failing one does not stop the next.
 */
import { DomainError } from '../errors/domain-error.ts';

export class ExclusiveRunner {
  private queue: Promise<unknown> = Promise.resolve();
  private running = 0;

  /** Whether something runs or waits. */
  get busy(): boolean {
    return this.running > 0;
  }

  run<R>(work: () => Promise<R>, signal?: AbortSignal): Promise<R> {
    this.running += 1;
    const result = this.queue
      .then(() => {
        if (signal?.aborted === true)
          throw new DomainError('CANCELLED', 'the caller gave up before it was its turn');
        return work();
      })
      .finally(() => {
        this.running -= 1;
      });
    this.queue = result.catch(() => undefined);
    return result;
  }
}
