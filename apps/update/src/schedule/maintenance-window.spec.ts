import type { SystemUpdateMaintenanceWindow } from '@incusos/contracts/update';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isAnyOpen,
  minutesUntilNext,
  minutesUntilOpen,
  weekdays,
  type WeekTime,
} from './maintenance-window.ts';

/** `10:00–11:15` or `Thu 12:00–Thu 12:15`. */
function window(text: string): SystemUpdateMaintenanceWindow {
  const [start, end] = text.split('–').map(moment);
  if (start === undefined || end === undefined) throw new Error(text);
  return {
    ...(start.day === undefined ? {} : { start_day_of_week: start.day }),
    start_hour: start.hour,
    start_minute: start.minute,
    ...(end.day === undefined ? {} : { end_day_of_week: end.day }),
    end_hour: end.hour,
    end_minute: end.minute,
  };
}

function moment(text: string): { day: string | undefined; hour: number; minute: number } {
  const [, short, hour, minute] = /^(?:(\w{3}) )?(\d\d):(\d\d)$/u.exec(text) ?? [];
  return {
    day: weekdays.find((day) => day.startsWith(short ?? '-')),
    hour: Number(hour),
    minute: Number(minute),
  };
}

function at(text: string): WeekTime {
  const { day, hour, minute } = moment(text);
  return { weekday: weekdays.findIndex((name) => name === day), hour, minute };
}

function minutes(duration: string): number {
  const [, days = '0', hours = '0', rest = '0'] = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?$/u.exec(duration) ?? [];
  return (Number(days) * 24 + Number(hours)) * 60 + Number(rest);
}

describe('a maintenance window', () => {
  it.each([
    ['10:00–11:15', 'Thu 09:59', '1m'],
    ['10:00–11:15', 'Thu 10:00', '0m'],
    ['10:00–11:15', 'Thu 11:14', '0m'],
    ['10:00–11:15', 'Thu 11:15', '0m'],
    ['10:00–11:15', 'Thu 11:16', '22h44m'],
    ['23:30–02:00', 'Thu 23:29', '1m'],
    ['23:30–02:00', 'Thu 23:30', '0m'],
    ['23:30–02:00', 'Fri 00:00', '0m'],
    ['23:30–02:00', 'Fri 02:00', '0m'],
    ['23:30–02:00', 'Fri 02:01', '21h29m'],
    ['23:30–02:00', 'Sat 23:45', '0m'],
    ['23:30–02:00', 'Sun 01:00', '0m'],
    ['Thu 12:00–Thu 12:15', 'Thu 12:15', '0m'],
    ['Thu 12:00–Thu 12:15', 'Thu 12:16', '6d23h44m'],
    ['Thu 12:00–Thu 12:15', 'Wed 12:05', '23h55m'],
    ['Thu 12:00–Thu 12:15', 'Fri 12:05', '5d23h55m'],
    ['Wed 00:00–Fri 23:59', 'Tue 23:59', '1m'],
    ['Wed 00:00–Fri 23:59', 'Wed 00:00', '0m'],
    ['Wed 00:00–Fri 23:59', 'Wed 15:15', '0m'],
    ['Wed 00:00–Fri 23:59', 'Sat 00:00', '4d'],
    ['Sat 22:00–Mon 04:00', 'Sun 12:00', '0m'],
    ['Sat 22:00–Mon 04:00', 'Mon 04:00', '0m'],
    ['Sat 22:00–Mon 04:00', 'Mon 04:01', '5d17h59m'],
    ['00:00–00:00', 'Mon 00:00', '0m'],
    ['00:00–00:00', 'Mon 00:01', '23h59m'],
  ])('%s at %s opens in %s', (text, instant, wait) => {
    expect(minutesUntilOpen(window(text), at(instant))).toBe(minutes(wait));
  });

  const day = fc.constantFrom(...weekdays);
  const time = fc.record({ hour: fc.nat(23), minute: fc.nat(59) });
  const weekTime = fc.record({ weekday: fc.nat(6), hour: fc.nat(23), minute: fc.nat(59) });
  const anyWindow = fc
    .record({ days: fc.option(fc.tuple(day, day)), start: time, end: time })
    .map(({ days, start, end }): SystemUpdateMaintenanceWindow => ({
      ...(days === null ? {} : { start_day_of_week: days[0], end_day_of_week: days[1] }),
      start_hour: start.hour,
      start_minute: start.minute,
      end_hour: end.hour,
      end_minute: end.minute,
    }));

  function later({ weekday, hour, minute }: WeekTime, wait: number): WeekTime {
    const total = (weekday * 1440 + hour * 60 + minute + wait) % (7 * 1440);
    return { weekday: Math.floor(total / 1440), hour: Math.floor((total % 1440) / 60), minute: total % 60 };
  }

  it('is open once its time has come, and not a minute earlier', () => {
    fc.assert(
      fc.property(anyWindow, weekTime, (anyOne, now) => {
        const wait = minutesUntilOpen(anyOne, now);
        expect(minutesUntilOpen(anyOne, later(now, wait))).toBe(0);
        if (wait > 1) expect(minutesUntilOpen(anyOne, later(now, wait - 1))).toBe(1);
      }),
    );
  });

  it('is open in its first and its last minute', () => {
    fc.assert(
      fc.property(anyWindow, fc.nat(6), (anyOne, weekday) => {
        const dayOf = (name: string | undefined): number =>
          name === undefined ? weekday : weekdays.findIndex((d) => d === name);
        const first = {
          weekday: dayOf(anyOne.start_day_of_week),
          hour: anyOne.start_hour,
          minute: anyOne.start_minute,
        };
        const last = {
          weekday: dayOf(anyOne.end_day_of_week),
          hour: anyOne.end_hour,
          minute: anyOne.end_minute,
        };
        expect([minutesUntilOpen(anyOne, first), minutesUntilOpen(anyOne, last)]).toEqual([0, 0]);
      }),
    );
  });
});

describe('several windows', () => {
  const windows = [window('10:00–11:00'), window('Thu 22:00–Thu 23:00')];

  it('allow work while any is open', () => {
    expect(isAnyOpen(windows, at('Mon 10:30'))).toBe(true);
    expect(isAnyOpen(windows, at('Thu 22:30'))).toBe(true);
    expect(isAnyOpen(windows, at('Mon 22:30'))).toBe(false);
  });

  it('always allow it when there are none', () => {
    expect(isAnyOpen([], at('Mon 10:30'))).toBe(true);
    expect(minutesUntilNext([], at('Mon 10:30'))).toBeUndefined();
  });

  it('are waited for by the nearest that is still closed', () => {
    expect(minutesUntilNext(windows, at('Thu 21:00'))).toBe(60);
    expect(minutesUntilNext(windows, at('Thu 10:30'))).toBe(11 * 60 + 30);
    expect(minutesUntilNext([window('10:00–11:00')], at('Thu 10:30'))).toBeUndefined();
  });
});
