/** Entries of the journal as journalctl(1) writes them with `--output=json`. */
import type { LogLine } from '../screen/view.ts';

/** Of a person before the screen nobody asks for the number of a request. */
const correlation = / correlation_id=\S+/u;

/** @returns none for what isn't an entry with a message. */
export function journalLine(entry: string): LogLine | undefined {
  const fields = parse(entry);
  const text = messageOf(fields['MESSAGE']);
  if (text === '') return undefined;
  const microseconds = Number(fields['__REALTIME_TIMESTAMP']);
  return {
    at: new Date(Number.isFinite(microseconds) ? Math.floor(microseconds / 1_000) : 0),
    service: textOf(fields['INCUSOS_SERVICE']) || textOf(fields['SYSLOG_IDENTIFIER']),
    level: levelOf(Number(fields['PRIORITY'] ?? 6)),
    text: text.replace(correlation, ''),
  };
}

function parse(entry: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(entry);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

/** What isn't UTF-8, or has control characters, comes as a list of bytes; what is too long as `null`. */
function messageOf(value: unknown): string {
  if (!Array.isArray(value)) return textOf(value);
  return Buffer.from(value.filter((byte) => typeof byte === 'number')).toString('utf8');
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** syslog(3) priorities. */
function levelOf(priority: number): LogLine['level'] {
  if (priority <= 3) return 'error';
  if (priority === 4) return 'warning';
  return priority >= 7 ? 'debug' : 'info';
}
