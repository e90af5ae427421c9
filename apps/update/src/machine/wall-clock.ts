/** Times as the clocks of a time zone show them. */
import type { WeekTime } from '../schedule/maintenance-window.ts';

/** What a clock on the wall shows. */
export function weekTime(date: Date, zone: string): WeekTime {
  const { weekday, hour, minute } = parts(date, zone);
  return { weekday: ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'].indexOf(weekday), hour, minute };
}

/** RFC 3339 with the zone's offset at that time, such as `2026-11-20T06:15:00.123+01:00`. */
export function formatInZone(date: Date, zone: string): string {
  const { year, month, day, hour, minute, second } = parts(date, zone);
  const milliseconds = date.getUTCMilliseconds();
  const local = Date.UTC(year, month - 1, day, hour, minute, second, milliseconds);
  const offset = Math.round((local - date.getTime()) / 60_000);
  if (offset === 0) return date.toISOString();
  const sign = offset < 0 ? '-' : '+';
  const [hours, minutes] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
  return `${new Date(local).toISOString().slice(0, -1)}${sign}${pad(hours)}:${pad(minutes)}`;
}

interface Parts {
  readonly weekday: string;
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

/** Making one takes far longer than using it, and a machine is in one zone. */
let lastFormat: { readonly timeZone: string; readonly format: Intl.DateTimeFormat } | undefined;

function formatOf(timeZone: string): Intl.DateTimeFormat {
  if (lastFormat?.timeZone === timeZone) return lastFormat.format;
  const format = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  });
  lastFormat = { timeZone, format };
  return format;
}

function parts(date: Date, timeZone: string): Parts {
  const format = formatOf(timeZone);
  const found = new Map(format.formatToParts(date).map(({ type, value }) => [type, value]));
  const number = (type: Intl.DateTimeFormatPartTypes): number => Number(found.get(type));
  return {
    weekday: found.get('weekday') ?? '',
    year: number('year'),
    month: number('month'),
    day: number('day'),
    hour: number('hour'),
    minute: number('minute'),
    second: number('second'),
  };
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
