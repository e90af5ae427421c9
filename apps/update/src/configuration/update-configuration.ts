/** The update configuration: its defaults and its rules. */
import type { SystemUpdateConfig, SystemUpdateMaintenanceWindow } from '@incusos/contracts/update';
import { updateFrequencyProblem, windowProblem } from '@incusos/contracts/update-rules';
import { DomainError, type FieldViolation } from '@incusos/service';
import { weekdays } from '../schedule/maintenance-window.ts';

/** Of a machine that was never told otherwise. */
export function defaultUpdateConfiguration(): SystemUpdateConfig {
  return { auto_reboot: false, channel: 'stable', check_frequency: '6h', maintenance_windows: [] };
}

/**
 * Checks a configuration.
 * @throws DomainError INVALID_REQUEST naming the field.
 */
export function checkUpdateConfiguration(config: SystemUpdateConfig): void {
  const problem =
    violation('config.check_frequency', updateFrequencyProblem(config.check_frequency)) ??
    config.maintenance_windows
      .map((window, index) => problemOf(window, `config.maintenance_windows[${index}]`))
      .find((found) => found !== undefined);
  if (problem !== undefined) throw new DomainError('INVALID_REQUEST', problem.reason, { fields: [problem] });
}

function problemOf(window: SystemUpdateMaintenanceWindow, path: string): FieldViolation | undefined {
  return (
    dayProblem(window.start_day_of_week, `${path}.start_day_of_week`) ??
    rangeProblem(window.start_hour, 23, `${path}.start_hour`) ??
    rangeProblem(window.start_minute, 59, `${path}.start_minute`) ??
    dayProblem(window.end_day_of_week, `${path}.end_day_of_week`) ??
    rangeProblem(window.end_hour, 23, `${path}.end_hour`) ??
    rangeProblem(window.end_minute, 59, `${path}.end_minute`) ??
    violation(path, windowProblem(window))
  );
}

function dayProblem(day: string | undefined, field: string): FieldViolation | undefined {
  if (day === undefined || day === '' || weekdays.some((name) => name === day)) return undefined;
  return violation(field, `${field}: '${day}' is not a day of the week`);
}

function rangeProblem(value: number, max: number, field: string): FieldViolation | undefined {
  if (Number.isInteger(value) && value >= 0 && value <= max) return undefined;
  return violation(field, `${field}: must be between 0 and ${max}`);
}

function violation(field: string, reason: string | undefined): FieldViolation | undefined {
  return reason === undefined ? undefined : { field, reason };
}
