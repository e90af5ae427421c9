/**
 * The journal of the emulated machine: one JSON object a line, as `journalctl -o json` writes them, in
 * `journal.ndjson` next to `machine.json`; it survives power cuts as the persistent journal does.
 *
 * Invariant: the file and its one predecessor stay below twice {@link rotateAtBytes}.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';

/** A journal entry; every field is text (systemd.journal-fields(7)). */
export type JournalEntry = Readonly<Record<string, string>>;

const rotateAtBytes = 8 * 1024 * 1024;
/** One line that a service writes is cut here, as journald does (LineMax=). */
const maxLineCharacters = 48 * 1024;

/** Where the journal is. */
export function journalPath(machine: EmulatedMachine): string {
  return join(machine.directory, 'journal.ndjson');
}

/**
 * Adds what a unit wrote to its standard output. A line that is a JSON object of journal fields with a `MESSAGE`, as
 * our services write, becomes an entry with those fields; any other is the message itself.
 * @param unit such as `incus-os-network.service`.
 * @param pid the process that wrote it.
 */
export function appendJournal(machine: EmulatedMachine, unit: string, line: string, pid?: number): void {
  const text = line.trimEnd().slice(0, maxLineCharacters);
  if (text === '') return;
  const { system } = machine.read();
  const now = Date.now();
  const boot = system.power.boot_id.replaceAll('-', '');
  const micros = `${now}${String(Math.floor((performance.now() % 1) * 1000)).padStart(3, '0')}`;
  const monotonic = String(Math.max(0, now - Date.parse(system.power.booted_at)) * 1000);
  const entry: JournalEntry = {
    __CURSOR: `s=${system.machine_id};b=${boot};m=${Number(monotonic).toString(16)};t=${Number(micros).toString(16)};x=${randomBytes(8).toString('hex')}`,
    __REALTIME_TIMESTAMP: micros,
    __MONOTONIC_TIMESTAMP: monotonic,
    _BOOT_ID: boot,
    _MACHINE_ID: system.machine_id,
    _HOSTNAME: hostname(machine),
    _TRANSPORT: 'stdout',
    _SYSTEMD_UNIT: unit,
    ...(pid === undefined ? {} : { _PID: String(pid) }),
    PRIORITY: '6',
    SYSLOG_FACILITY: '3',
    SYSLOG_IDENTIFIER: unit.replace(/\.service$/u, ''),
    ...(journalFields(text) ?? { MESSAGE: text }),
  };
  const path = journalPath(machine);
  if (existsSync(path) && statSync(path).size > rotateAtBytes) renameSync(path, `${path}.1`);
  appendFileSync(path, `${JSON.stringify(entry)}\n`);
}

/** Every entry, oldest first. A last line that is still being written is left out. */
export function readJournal(machine: EmulatedMachine): JournalEntry[] {
  const path = journalPath(machine);
  return [`${path}.1`, path].flatMap((file) =>
    existsSync(file) ? parseEntries(readFileSync(file, 'utf8')) : [],
  );
}

/** The entries in a piece of the journal's text. */
export function parseEntries(text: string): JournalEntry[] {
  const entries: JournalEntry[] = [];
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const fields = parseObject(line);
    if (fields !== undefined) entries.push(fields);
  }
  return entries;
}

function journalFields(line: string): JournalEntry | undefined {
  if (!line.startsWith('{')) return undefined;
  const fields = parseObject(line);
  if (fields?.['MESSAGE'] === undefined) return undefined;
  // Fields with an underscore are the journal's own and can't be given by a writer.
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith('_')));
}

function parseObject(line: string): JournalEntry | undefined {
  try {
    const value: unknown = JSON.parse(line);
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
    const fields = Object.entries(value).map(([name, content]) => [
      name,
      typeof content === 'string' ? content : JSON.stringify(content),
    ]);
    return Object.fromEntries(fields) as JournalEntry;
  } catch {
    return undefined;
  }
}

function hostname(machine: EmulatedMachine): string {
  const path = machine.files.resolve('/proc/sys/kernel/hostname');
  return existsSync(path) ? readFileSync(path, 'utf8').trim() : 'localhost';
}
