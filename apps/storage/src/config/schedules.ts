/** The schedules of scrubs and trims. */
import { DomainError, reasonOf } from '@incusos/service';

/**
 * Makes sure that a text is a five-field cron expression that comes round at all.
 * @param what `scrub` or `trim`.
 * @throws DomainError INVALID_REQUEST.
 */
export async function requireCron(expression: string, what: 'scrub' | 'trim'): Promise<void> {
  const reason = await problem(expression);
  if (reason === undefined) return;
  throw new DomainError('INVALID_REQUEST', `invalid cron expression provided for ${what} schedule`, {
    fields: [{ field: `config.${what}_schedule`, reason }],
  });
}

async function problem(expression: string): Promise<string | undefined> {
  if (expression.trim() === '') return 'must be given';
  if (expression.trim().split(/\s+/u).length !== 5)
    return 'must have five fields: minute, hour, day of month, month, day of week';
  const { CronExpressionParser } = await import('cron-parser');
  try {
    CronExpressionParser.parse(expression).next();
    return undefined;
  } catch (error) {
    return reasonOf(error);
  }
}
