/** journalctl(1): reading and following the journal. */
import { closeSync, openSync, readSync, statSync, watch } from 'node:fs';
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { type JournalEntry, journalPath, parseEntries, readJournal } from './journal.ts';
import { keepJournalSmall } from './journal-vacuum.ts';
import { parseTimestamp } from './systemd-time.ts';
import { unitName } from './units.ts';

interface Query {
  format: 'short' | 'json' | 'cat';
  readonly units: string[];
  readonly identifiers: string[];
  boot: string | undefined;
  lines: number | undefined;
  since: number | undefined;
  until: number | undefined;
  priority: number | undefined;
  follow: boolean;
  reverse: boolean;
}

/** Options with a value: their short and long forms. */
const valued: Readonly<Record<string, keyof typeof setters>> = {
  '-o': 'output',
  '--output': 'output',
  '-u': 'unit',
  '--unit': 'unit',
  '-t': 'identifier',
  '--identifier': 'identifier',
  '-n': 'lines',
  '--lines': 'lines',
  '-S': 'since',
  '--since': 'since',
  '-U': 'until',
  '--until': 'until',
  '-p': 'priority',
  '--priority': 'priority',
  '-b': 'boot',
  '--boot': 'boot',
};

const priorities = ['emerg', 'alert', 'crit', 'err', 'warning', 'notice', 'info', 'debug'];

/** Each takes a value into the query, or says what is wrong with it. */
const setters = {
  output: (query: Query, value: string) => {
    if (value !== 'json' && value !== 'short' && value !== 'cat') return `Unknown output format '${value}'.`;
    query.format = value;
    return undefined;
  },
  unit: (query: Query, value: string) => {
    query.units.push(unitName(value));
    return undefined;
  },
  identifier: (query: Query, value: string) => {
    query.identifiers.push(value);
    return undefined;
  },
  lines: (query: Query, value: string) => {
    if (value !== 'all' && !/^\+?\d+$/u.test(value)) return `Failed to parse lines '${value}'`;
    query.lines = value === 'all' ? undefined : Number(value);
    return undefined;
  },
  since: (query: Query, value: string) => {
    query.since = parseTimestamp(value);
    return query.since === undefined ? `Failed to parse timestamp: ${value}` : undefined;
  },
  until: (query: Query, value: string) => {
    query.until = parseTimestamp(value);
    return query.until === undefined ? `Failed to parse timestamp: ${value}` : undefined;
  },
  priority: (query: Query, value: string) => {
    const level = /^\d$/u.test(value) ? Number(value) : priorities.indexOf(value);
    query.priority = level;
    return level < 0 || level > 7 ? `Unknown log level ${value}` : undefined;
  },
  boot: (query: Query, value: string) => {
    query.boot = value;
    return /^([+-]?\d+|[0-9a-f]{32}([+-]\d+)?|all|)$/u.test(value)
      ? undefined
      : `Failed to parse boot descriptor '${value}'`;
  },
} satisfies Record<string, (query: Query, value: string) => string | undefined>;

/** A boot's id is said with its offset. */
function bootInWords(boot: string): string {
  return /^[0-9a-f]{32}$/u.test(boot) ? `${boot}+0` : boot;
}
export const journalctl: Tool = async (call) => {
  const kept = keepJournalSmall(call.machine, call.args);
  if (kept !== undefined) return kept;
  const query = parse(call.args);
  if ('stderr' in query) return query;
  if (query.since !== undefined && query.until !== undefined && query.since > query.until) {
    return failure('--since= must be before --until=.');
  }
  const all = readJournal(call.machine);
  const boot = bootOf(query.boot, all, call.machine.read().system.power.boot_id.replaceAll('-', ''));
  if (boot === null)
    return failure(`No journal boot entry found for the specified boot (${bootInWords(query.boot ?? '')}).`);
  const wanted = (entry: JournalEntry): boolean => matches(entry, query, boot);
  const found = all.filter(wanted);
  const lines = query.lines ?? (query.follow ? 10 : undefined);
  const shown = lines === undefined ? found : found.slice(Math.max(0, found.length - lines));
  const text = (query.reverse ? shown.toReversed() : shown)
    .map((entry) => format(entry, query.format))
    .join('');
  if (!query.follow) return { stdout: text === '' && query.format === 'short' ? '-- No entries --\n' : text };
  if (text !== '') call.write(text);
  await follow(call, (entry) => {
    if (wanted(entry)) call.write(format(entry, query.format));
  });
  return {};
};

function parse(args: readonly string[]): Query | (ToolResult & { stderr: string }) {
  const query: Query = {
    format: 'short',
    units: [],
    identifiers: [],
    boot: undefined,
    lines: undefined,
    since: undefined,
    until: undefined,
    priority: undefined,
    follow: false,
    reverse: false,
  };
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const [name, attached] = splitOption(arg);
    const setter = valued[name];
    if (setter !== undefined) {
      const next = args[index + 1];
      // The value of -b is optional and may be the next word only when it looks like one.
      const takesNext =
        attached === undefined &&
        (setter !== 'boot' || (next !== undefined && /^[+-]?\d+$|^[0-9a-f]{32}$|^all$/u.test(next)));
      const value = attached ?? (takesNext ? next : setter === 'boot' ? '0' : undefined);
      if (takesNext) index += 1;
      if (value === undefined) return wrong(`journalctl: option '${name}' requires an argument`);
      const problem = setters[setter](query, value);
      if (problem !== undefined) return wrong(problem);
    } else if (arg === '-f' || arg === '--follow') query.follow = true;
    else if (arg === '-r' || arg === '--reverse') query.reverse = true;
    else if (!['--no-pager', '-q', '--quiet', '-a', '--all', '-m', '--merge', '--utc'].includes(arg)) {
      if (arg.startsWith('-'))
        return wrong(
          arg.startsWith('--')
            ? `journalctl: unrecognized option '${arg}'`
            : `journalctl: invalid option -- '${arg.slice(1, 2)}'`,
        );
      return wrong(`Failed to add match '${arg}': Invalid argument`);
    }
  }
  return query;
}

function splitOption(arg: string): [string, string | undefined] {
  if (arg.startsWith('--')) {
    const at = arg.indexOf('=');
    return at === -1 ? [arg, undefined] : [arg.slice(0, at), arg.slice(at + 1)];
  }
  return arg.length > 2 && arg.startsWith('-') ? [arg.slice(0, 2), arg.slice(2)] : [arg, undefined];
}

function wrong(stderr: string): ToolResult & { stderr: string } {
  return { exitCode: 1, stderr: `${stderr}\n` };
}

/** The boot id meant; `undefined` for all boots, `null` when the journal knows no such boot. */
function bootOf(
  descriptor: string | undefined,
  entries: readonly JournalEntry[],
  present: string,
): string | undefined | null {
  if (descriptor === undefined || descriptor === 'all') return undefined;
  if (descriptor === '' || descriptor === '0' || descriptor === '-0') return present;
  const boots = [...new Set([...entries.map((entry) => entry['_BOOT_ID'] ?? ''), present])];
  const [, id, offset = '0'] = /^([0-9a-f]{32})?([+-]?\d+)?$/u.exec(descriptor) ?? [];
  // Positive numbers count from the oldest boot, negative ones from the present.
  const base = id === undefined ? (Number(offset) > 0 ? -1 : boots.length - 1) : boots.indexOf(id);
  if (id !== undefined && base === -1) return null;
  return boots[base + Number(offset)] ?? null;
}

function matches(entry: JournalEntry, query: Query, boot: string | undefined): boolean {
  const at = Number(entry['__REALTIME_TIMESTAMP']) / 1000;
  return (
    (boot === undefined || entry['_BOOT_ID'] === boot) &&
    (query.units.length === 0 || query.units.includes(entry['_SYSTEMD_UNIT'] ?? '')) &&
    (query.identifiers.length === 0 || query.identifiers.includes(entry['SYSLOG_IDENTIFIER'] ?? '')) &&
    (query.since === undefined || at >= query.since) &&
    (query.until === undefined || at <= query.until) &&
    (query.priority === undefined || Number(entry['PRIORITY']) <= query.priority)
  );
}

function format(entry: JournalEntry, kind: Query['format']): string {
  if (kind === 'json') return `${JSON.stringify(entry)}\n`;
  const message = entry['MESSAGE'] ?? '';
  if (kind === 'cat') return `${message}\n`;
  const at = new Date(Number(entry['__REALTIME_TIMESTAMP']) / 1000);
  const date = `${at.toUTCString().slice(8, 11)} ${String(at.getUTCDate()).padStart(2, '0')} ${at.toISOString().slice(11, 19)}`;
  const pid = entry['_PID'] === undefined ? '' : `[${entry['_PID']}]`;
  return `${date} ${entry['_HOSTNAME'] ?? 'localhost'} ${entry['SYSLOG_IDENTIFIER'] ?? ''}${pid}: ${message}\n`;
}

/** Hands on entries as they come, until the caller stops listening. */
function follow({ machine, signal }: ToolCall, onEntry: (entry: JournalEntry) => void): Promise<void> {
  const path = journalPath(machine);
  let position = sizeOf(path);
  let rest = '';
  const readOn = (): void => {
    const size = sizeOf(path);
    if (size < position) position = 0;
    if (size === position) return;
    const buffer = Buffer.alloc(size - position);
    const file = openSync(path, 'r');
    readSync(file, buffer, 0, buffer.length, position);
    closeSync(file);
    position = size;
    const text = rest + buffer.toString('utf8');
    const end = text.lastIndexOf('\n') + 1;
    rest = text.slice(end);
    for (const entry of parseEntries(text.slice(0, end))) onEntry(entry);
  };
  return new Promise((resolve) => {
    const watcher = watch(machine.directory, { persistent: false }, (_event, name) => {
      if (name === 'journal.ndjson') readOn();
    });
    const stop = (): void => {
      watcher.close();
      resolve();
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
