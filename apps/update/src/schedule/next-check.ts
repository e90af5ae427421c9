/** When the next periodic check is due. */
import { parseDuration } from '@incusos/contracts/duration';
import type { SystemUpdateConfig } from '@incusos/contracts/update';
import { minutesUntilNext, type WeekTime } from './maintenance-window.ts';

/** What `never` counts as while no primary application is installed: the machine still needs one. */
const defaultFrequency = '6h';
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
/** The schedule has a resolution of a minute, whatever the frequency. */
const shortestMs = minuteMs;
/** Dates end somewhere; a check in a hundred years is never. */
const longestMs = 100 * 365 * 24 * hourMs;

export interface CheckCircumstances {
  readonly now: Date;
  readonly lastCheck: Date;
  /** `lastCheck` on the wall clock. */
  readonly lastCheckTime: WeekTime;
  readonly primaryInstalled: boolean;
}

export interface NextCheck {
  readonly at: Date;
  /** False: nothing is to be checked then, only to be looked at again. */
  readonly check: boolean;
}

/** Plans the next check after the last one: after the frequency, or earlier at the start of a maintenance window. */
export function nextCheck(config: SystemUpdateConfig, circumstances: CheckCircumstances): NextCheck {
  const { now, lastCheck, lastCheckTime, primaryInstalled } = circumstances;
  if (config.check_frequency === 'never' && primaryInstalled) {
    return { at: new Date(now.getTime() + hourMs), check: false };
  }
  const frequency = config.check_frequency === 'never' ? defaultFrequency : config.check_frequency;
  const frequencyMs = Math.min(Number(parseDuration(frequency) / 1_000_000n), longestMs);
  const window = minutesUntilNext(config.maintenance_windows, lastCheckTime);
  const waitMs = Math.max(
    shortestMs,
    Math.min(frequencyMs, window === undefined ? Infinity : window * minuteMs),
  );
  const due = lastCheck.getTime() + waitMs;
  return { at: new Date(Math.max(due, now.getTime() + shortestMs)), check: true };
}

/** The minute of a date as a crontab(5) expression in UTC. What is past is due in the next minute. */
export function cronOf(date: Date, now: Date): string {
  // Rounded up, so that it never comes before its time.
  const earliest = Math.ceil(Math.max(date.getTime(), now.getTime() + 1) / minuteMs) * minuteMs;
  const at = new Date(earliest);
  return `${at.getUTCMinutes()} ${at.getUTCHours()} ${at.getUTCDate()} ${at.getUTCMonth() + 1} *`;
}
