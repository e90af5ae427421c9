import { SystemUpdateConfig } from '@incusos/contracts/update';
import { CronExpressionParser } from 'cron-parser';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { weekTime } from '../machine/wall-clock.ts';
import { cronOf, nextCheck } from './next-check.ts';

function plan(
  config: Partial<SystemUpdateConfig>,
  last: string,
  now = last,
  primaryInstalled = true,
): string {
  const lastCheck = new Date(last);
  const { at, check } = nextCheck(SystemUpdateConfig.create({ check_frequency: '6h', ...config }), {
    now: new Date(now),
    lastCheck,
    lastCheckTime: weekTime(lastCheck, 'UTC'),
    primaryInstalled,
  });
  return `${check ? 'check' : 'look'} ${at.toISOString()}`;
}

const night = { start_hour: 2, start_minute: 0, end_hour: 3, end_minute: 0 };

describe('the next check', () => {
  it('comes after the frequency', () => {
    expect(plan({}, '2026-11-20T05:00:00Z')).toBe('check 2026-11-20T11:00:00.000Z');
    expect(plan({ check_frequency: '36h30m' }, '2026-11-20T05:00:00Z')).toBe(
      'check 2026-11-21T17:30:00.000Z',
    );
  });

  it('comes earlier at the start of a window', () => {
    const config = { check_frequency: '24h', maintenance_windows: [night] };
    expect(plan(config, '2026-11-20T12:00:00Z')).toBe('check 2026-11-21T02:00:00.000Z');
    expect(plan(config, '2026-11-20T02:10:00Z')).toBe('check 2026-11-21T02:10:00.000Z');
  });

  it('is at least a minute away, however small the frequency and however late it is', () => {
    expect(plan({ check_frequency: '0s' }, '2026-11-20T05:00:00Z')).toBe('check 2026-11-20T05:01:00.000Z');
    expect(plan({}, '2026-11-20T05:00:00Z', '2026-11-22T05:00:00Z')).toBe('check 2026-11-22T05:01:00.000Z');
  });

  it('never comes when it should not, but the setting is looked at every hour', () => {
    expect(plan({ check_frequency: 'never' }, '2026-11-20T05:00:00Z')).toBe('look 2026-11-20T06:00:00.000Z');
  });

  it('comes every six hours as long as there is no primary application', () => {
    const last = '2026-11-20T05:00:00Z';
    expect(plan({ check_frequency: 'never' }, last, last, false)).toBe('check 2026-11-20T11:00:00.000Z');
  });

  it('can be planned with any frequency that is valid', () => {
    const frequency = fc.constantFrom('0s', '1ns', '30s', '1h', '2540400h', '2562047h47m16s');
    fc.assert(
      fc.property(
        frequency,
        fc.date({ min: new Date('2026-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        (text, last) => {
          expect(plan({ check_frequency: text }, last.toISOString())).toMatch(/^check \d{4,6}-/u);
        },
      ),
    );
  });
});

describe('the crontab entry of a date', () => {
  it('comes first at or after the date, within a minute', () => {
    const now = new Date('2026-11-20T05:15:30Z');
    const ahead = fc.integer({ min: 0, max: 300 * 24 * 3600 * 1000 });
    fc.assert(
      fc.property(ahead, (milliseconds) => {
        const date = new Date(now.getTime() + milliseconds);
        const cron = CronExpressionParser.parse(cronOf(date, now), { tz: 'UTC', currentDate: now });
        const late = cron.next().getTime() - date.getTime();
        expect(late).toBeGreaterThanOrEqual(0);
        expect(late).toBeLessThanOrEqual(60_000);
      }),
    );
  });

  it('is the next minute for what is past', () => {
    expect(cronOf(new Date(0), new Date('2026-11-20T05:15:30Z'))).toBe('16 5 20 11 *');
  });
});
