import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatInZone, weekTime } from './wall-clock.ts';

describe('times in a zone', () => {
  it.each([
    ['2026-11-20T05:15:00.120Z', 'Europe/Vienna', '2026-11-20T06:15:00.120+01:00'],
    ['2026-07-20T05:15:00.000Z', 'Europe/Vienna', '2026-07-20T07:15:00.000+02:00'],
    ['2026-11-20T23:30:00.000Z', 'America/St_Johns', '2026-11-20T20:00:00.000-03:30'],
    ['2026-12-31T23:30:00.000Z', 'Asia/Kathmandu', '2027-01-01T05:15:00.000+05:45'],
    ['2026-11-20T05:15:00.000Z', 'UTC', '2026-11-20T05:15:00.000Z'],
  ])('%s in %s is %s', (instant, zone, expected) => {
    expect(formatInZone(new Date(instant), zone)).toBe(expected);
  });

  it('stay the same instant', () => {
    const zone = fc.constantFrom('Europe/Vienna', 'America/New_York', 'Asia/Kolkata', 'Pacific/Apia', 'UTC');
    const date = fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true });
    fc.assert(
      fc.property(date, zone, (instant, name) => {
        expect(new Date(formatInZone(instant, name)).getTime()).toBe(instant.getTime());
      }),
    );
  });

  it("know the zone's own weekday", () => {
    const instant = new Date('2026-11-20T23:30:00Z');
    expect(weekTime(instant, 'UTC')).toEqual({ weekday: 5, hour: 23, minute: 30 });
    expect(weekTime(instant, 'Europe/Vienna')).toEqual({ weekday: 6, hour: 0, minute: 30 });
  });
});
