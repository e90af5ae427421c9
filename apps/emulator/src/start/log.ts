/** The log of the appliance on a terminal: our services' JSON lines made readable, everything else as it is. */

interface Entry {
  readonly MESSAGE: string;
  readonly PRIORITY?: string;
}

/** Fields that every line has, or that say nothing to a person. */
const plumbing = new Set([
  'MESSAGE',
  'PRIORITY',
  'SYSLOG_IDENTIFIER',
  'INCUSOS_SERVICE',
  'INCUSOS_TIME',
  'CORRELATION_ID',
]);
const words: Readonly<Record<string, string>> = { '3': 'error', '4': 'warn', '6': 'info', '7': 'debug' };
const colours: Readonly<Record<string, number>> = { error: 31, warn: 33, debug: 90 };

function parse(line: string): (Entry & Record<string, unknown>) | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    if (
      typeof value === 'object' &&
      value !== null &&
      'MESSAGE' in value &&
      typeof value.MESSAGE === 'string'
    ) {
      return { ...value, MESSAGE: value.MESSAGE };
    }
  } catch {
    // A program's own line that happens to begin with a brace.
  }
  return undefined;
}

/** One line for a person: time, who, how bad, what. */
export function readableLine(name: string, line: string, colour: boolean, now = new Date()): string {
  const entry = parse(line);
  const level = entry === undefined ? 'info' : (words[entry.PRIORITY ?? '6'] ?? 'info');
  const details = Object.entries(entry ?? {})
    .filter(([key]) => !plumbing.has(key))
    .map(
      ([key, value]) => `${key.toLowerCase()}=${typeof value === 'string' ? value : JSON.stringify(value)}`,
    );
  const text = [
    now.toTimeString().slice(0, 8),
    name.padEnd(12),
    level.padEnd(5),
    entry?.MESSAGE ?? line,
    ...details,
  ].join(' ');
  const code = colours[level];
  return colour && code !== undefined ? `\u001B[${code}m${text}\u001B[0m` : text;
}
