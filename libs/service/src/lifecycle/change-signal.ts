/**
 * Tells readers of a value that it changed.
 *
 * Invariants: a reader gets the value at once and after every change, the newest only when changes come faster than it
 * reads; a change that comes while a reader is busy is not lost to it.
 */
export class ChangeSignal {
  private readonly waiting = new Set<() => void>();

  /** Has every reader look at its value again. */
  announce(): void {
    for (const wake of this.waiting) wake();
  }

  /** What `read` gives, whenever it gives something else than before, until `signal` aborts. */
  async *follow<V>(read: () => V, signal: AbortSignal): AsyncGenerator<V> {
    let told: { readonly value: V } | undefined;
    while (!signal.aborted) {
      const value = read();
      if (told !== undefined && told.value === value) {
        await this.next(signal);
        continue;
      }
      told = { value };
      yield value;
    }
  }

  private next(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.waiting.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.waiting.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
