import { SystemUpdateConfig } from '@incusos/contracts/update';
import { DomainError } from '@incusos/service';
import { describe, expect, it } from 'vitest';
import { checkUpdateConfiguration, defaultUpdateConfiguration } from './update-configuration.ts';

const night = { start_hour: 2, start_minute: 0, end_hour: 3, end_minute: 0 };

function refusal(change: Partial<SystemUpdateConfig>): DomainError | undefined {
  try {
    checkUpdateConfiguration(SystemUpdateConfig.create({ ...defaultUpdateConfiguration(), ...change }));
    return undefined;
  } catch (error) {
    if (error instanceof DomainError) return error;
    throw error;
  }
}

describe('the update configuration', () => {
  it.each(['never', '6h', '0s', '1h30m', '0'])('takes the frequency %s', (check_frequency) => {
    expect(refusal({ check_frequency })).toBeUndefined();
  });

  it.each([
    ['', 'invalid update check frequency: time: invalid duration ""'],
    ['6', 'invalid update check frequency: time: missing unit in duration "6"'],
    ['1d', 'invalid update check frequency: time: unknown unit "d" in duration "1d"'],
    ['-1h', 'invalid update check frequency: must be a positive value'],
  ])('refuses the frequency %j', (check_frequency, message) => {
    const error = refusal({ check_frequency });
    expect(error).toMatchObject({ reason: 'INVALID_REQUEST', message });
    expect(error?.fields).toEqual([{ field: 'config.check_frequency', reason: message }]);
  });

  it('takes windows with and without days, over midnight and over the week', () => {
    const days = { start_day_of_week: 'Saturday', end_day_of_week: 'Monday' };
    const windows = [
      night,
      { ...night, start_hour: 23 },
      { ...night, ...days },
      { ...night, start_day_of_week: '', end_day_of_week: '' },
    ];
    expect(refusal({ maintenance_windows: windows })).toBeUndefined();
  });

  const text = 'invalid migration window: ';
  const path = 'config.maintenance_windows[1]';

  it.each([
    [{ start_day_of_week: 'Monday' }, '', `${text}both StartDayOfWeek and EndDayOfWeek must be provided`],
    [{ end_day_of_week: 'Monday' }, '', `${text}both StartDayOfWeek and EndDayOfWeek must be provided`],
    [
      { start_day_of_week: 'Monday', end_day_of_week: 'Monday', start_hour: 4 },
      '',
      `${text}end time is before start time`,
    ],
    [
      { start_day_of_week: 'monday', end_day_of_week: 'Monday' },
      '.start_day_of_week',
      `${path}.start_day_of_week: 'monday' is not a day of the week`,
    ],
    [
      { start_day_of_week: 'Monday', end_day_of_week: 'Mon' },
      '.end_day_of_week',
      `${path}.end_day_of_week: 'Mon' is not a day of the week`,
    ],
    [{ start_hour: 24 }, '.start_hour', `${path}.start_hour: must be between 0 and 23`],
    [{ start_minute: 60 }, '.start_minute', `${path}.start_minute: must be between 0 and 59`],
    [{ end_hour: -1 }, '.end_hour', `${path}.end_hour: must be between 0 and 23`],
    [{ end_minute: 99 }, '.end_minute', `${path}.end_minute: must be between 0 and 59`],
  ])('refuses a window with %j', (change, field, message) => {
    const error = refusal({ maintenance_windows: [night, { ...night, ...change }] });
    expect(error).toMatchObject({ reason: 'INVALID_REQUEST', message });
    expect(error?.fields[0]?.field).toBe(`${path}${field}`);
  });
});
