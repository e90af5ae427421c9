import { DomainError } from '@incusos/service';

/**
 * The level of our logger for a level of a message: `DEBUG`, `INFO`, `WARN`, `ERROR`, with an offset such as `WARN+2`,
 * or the number it stands for (-4, 0, 4, 8). Empty means `INFO`.
 */
export function messageLevel(level: string): 'debug' | 'info' | 'warn' | 'error' {
  const names: Readonly<Record<string, number>> = { '': 0, DEBUG: -4, INFO: 0, WARN: 4, ERROR: 8 };
  const match = /^([A-Z]*)([+-]?\d+)?$/u.exec(level.toUpperCase());
  const base = names[match?.[1] ?? 'unknown'];
  if (base === undefined) {
    throw new DomainError('INVALID_REQUEST', `unknown log level '${level}'`, {
      fields: [{ field: 'level', reason: 'it is neither a level nor a number' }],
    });
  }
  const value = base + Number(match?.[2] ?? 0);
  if (value < 0) return 'debug';
  if (value < 4) return 'info';
  return value < 8 ? 'warn' : 'error';
}
