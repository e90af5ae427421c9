/** Repeats what has to succeed in the end, less and less often, until it does or something else took its place. */

const firstDelayMs = 1_000;
const longestDelayMs = 30_000;

export class Retry {
  private timer: NodeJS.Timeout | undefined;
  private failed = 0;
  private closed = false;

  /** How often it failed since it last succeeded. */
  get failures(): number {
    return this.failed;
  }

  /**
   * Makes another attempt after a while: 1 s the first time, twice as long each time, 30 s at most.
   * @returns milliseconds until then.
   */
  after(attempt: () => void): number {
    clearTimeout(this.timer);
    const delay = Math.min(longestDelayMs, firstDelayMs * 2 ** this.failed);
    this.failed += 1;
    if (this.closed) return delay;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      attempt();
    }, delay);
    return delay;
  }

  /** Makes no more attempts. */
  stop(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
  }

  /** Makes no more attempts, whatever comes. */
  close(): void {
    this.closed = true;
    this.stop();
  }

  /** It succeeded: the next failure is a first one. */
  reset(): void {
    this.stop();
    this.failed = 0;
  }
}
