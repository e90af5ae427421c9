/**
 * When a maintenance window is open. A window comes round every day, or every week when it names days; time is minutes
 * in that circle, and both the first and the last minute belong to the window.
 */
import type { SystemUpdateMaintenanceWindow } from '@incusos/contracts/update';

export const weekdays = [
  'Sunday',
  'Monday',
  'Tuesday',
  'Wednesday',
  'Thursday',
  'Friday',
  'Saturday',
] as const;

const minutesOfDay = 24 * 60;

/** A minute of the week in the machine's time zone. */
export interface WeekTime {
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
}

/** Minutes until the window opens; 0 while it is open. */
export function minutesUntilOpen(window: SystemUpdateMaintenanceWindow, at: WeekTime): number {
  const daily = (window.start_day_of_week ?? '') === '' || (window.end_day_of_week ?? '') === '';
  const circle = daily ? minutesOfDay : 7 * minutesOfDay;
  const start = position(window.start_day_of_week, window.start_hour, window.start_minute);
  const end = position(window.end_day_of_week, window.end_hour, window.end_minute);
  const now = at.weekday * minutesOfDay + at.hour * 60 + at.minute;
  const length = around(end - start, circle);
  return around(now - start, circle) <= length ? 0 : around(start - now, circle);
}

/** Whether something may be done now; without any window always. */
export function isAnyOpen(windows: readonly SystemUpdateMaintenanceWindow[], at: WeekTime): boolean {
  return windows.length === 0 || windows.some((window) => minutesUntilOpen(window, at) === 0);
}

/** Minutes until the nearest window that is not open yet; none if all are open. */
export function minutesUntilNext(
  windows: readonly SystemUpdateMaintenanceWindow[],
  at: WeekTime,
): number | undefined {
  const waits = windows.map((window) => minutesUntilOpen(window, at)).filter((minutes) => minutes > 0);
  return waits.length === 0 ? undefined : Math.min(...waits);
}

function position(day: string | undefined, hour: number, minute: number): number {
  const weekday = Math.max(
    0,
    weekdays.findIndex((name) => name === day),
  );
  return weekday * minutesOfDay + hour * 60 + minute;
}

/** The remainder on a circle, never negative. */
function around(minutes: number, circle: number): number {
  return ((minutes % circle) + circle) % circle;
}
