/** Rules of the update configuration that need nothing but the configuration. */
import { DurationError, parseDuration } from '../rest/duration.ts';

/** A maintenance window, as far as its rules go. */
interface Window {
  readonly start_day_of_week?: string | undefined;
  readonly start_hour: number;
  readonly start_minute: number;
  readonly end_day_of_week?: string | undefined;
  readonly end_hour: number;
  readonly end_minute: number;
}

/** Says what is wrong with a check frequency, which is `never` or a duration that is not negative. */
export function updateFrequencyProblem(frequency: string): string | undefined {
  if (frequency === 'never') return undefined;
  const prefix = 'invalid update check frequency: ';
  try {
    return parseDuration(frequency) < 0n ? `${prefix}must be a positive value` : undefined;
  } catch (error) {
    if (error instanceof DurationError) return prefix + error.message;
    throw error;
  }
}

/** Says what is wrong with a maintenance window. Its word "migration" is the one scripts know. */
export function windowProblem(window: Window): string | undefined {
  const startDay = window.start_day_of_week ?? '';
  const endDay = window.end_day_of_week ?? '';
  if ((startDay === '') !== (endDay === '')) {
    return 'invalid migration window: both StartDayOfWeek and EndDayOfWeek must be provided';
  }
  const start = window.start_hour * 60 + window.start_minute;
  const end = window.end_hour * 60 + window.end_minute;
  if (startDay !== '' && startDay === endDay && end < start) {
    return 'invalid migration window: end time is before start time';
  }
  return undefined;
}
