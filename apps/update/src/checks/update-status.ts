/** How the last check went; lost at restart, as the check is then done anew. */
import type { SystemUpdateState } from '@incusos/contracts/update';
import { formatInZone } from '../machine/wall-clock.ts';

/** The texts of `state.status`, which scripts read. */
export const statusTexts = {
  running: 'Running update check',
  completed: 'Update check completed',
  outsideWindows: 'Skipping update check outside of maintenance window(s)',
  primaryUnknown: 'Failed to check if a primary application is installed',
  osFailed: 'Failed to check for OS updates',
} as const;

export class UpdateStatus {
  private checkedAt: Date | undefined;
  private text = '';
  private available = '';
  private error = '';

  /** When the last check began; none since the start of the service. */
  get lastCheck(): Date | undefined {
    return this.checkedAt;
  }

  began(at: Date): void {
    this.checkedAt = at;
    this.text = statusTexts.running;
  }

  /** @param available the version of a newer release; empty when there is none. */
  completed(available: string): void {
    this.text = statusTexts.completed;
    this.available = available;
    this.error = '';
  }

  skipped(): void {
    this.text = statusTexts.outsideWindows;
  }

  /** @param why a sentence for a person. What was found before may still be there. */
  failed(text: string, why: string): void {
    this.text = text;
    this.error = why;
  }

  /** What was found belongs to a channel and a provider that are not in force any more. */
  forget(): void {
    this.available = '';
  }

  /** As the API shows it. */
  inZone(zone: string): SystemUpdateState {
    return {
      last_check: this.checkedAt === undefined ? '' : formatInZone(this.checkedAt, zone),
      status: this.text,
      needs_reboot: false,
      ...(this.available === '' ? {} : { available_version: this.available }),
      ...(this.error === '' ? {} : { last_error: this.error }),
    };
  }
}
