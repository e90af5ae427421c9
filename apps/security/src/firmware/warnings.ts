import type { Logger } from '@incusos/service';

/** Logs a warning when it is new, and not again at every read of the same thing. */
export class Warnings {
  private readonly said = new Set<string>();

  constructor(private readonly logger: Logger) {}

  warn(message: string): void {
    if (this.said.has(message)) return;
    this.said.add(message);
    this.logger.warn(message);
  }
}
