/** `journalctl --rotate` and `--vacuum-files`: keeping the journal small (journalctl(1)). */
import { existsSync, renameSync, rmSync, statSync } from 'node:fs';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type ToolResult } from '../tools/tool.ts';
import { journalPath } from './journal.ts';

/** Does it, or gives `undefined` when the arguments ask for something else. */
export function keepJournalSmall(machine: EmulatedMachine, args: readonly string[]): ToolResult | undefined {
  const keep = args.flatMap((arg) => /^--vacuum-files=(.*)$/u.exec(arg)?.[1] ?? []);
  if (!args.includes('--rotate') && keep.length === 0) return undefined;
  const other = args.find((arg) => arg !== '--rotate' && !arg.startsWith('--vacuum-files='));
  if (other !== undefined) return failure('Extraneous arguments starting with --rotate.');
  const path = journalPath(machine);
  const archived = `${path}.1`;
  if (args.includes('--rotate') && existsSync(path)) renameSync(path, archived);
  const [files] = keep;
  if (files === undefined) return {};
  if (!/^\d+$/u.test(files)) return failure(`Failed to parse vacuum files: ${files}`);
  // The one that is written counts too.
  const goes = Number(files) <= 1 && existsSync(archived);
  const freed = goes ? statSync(archived).size : 0;
  if (goes) rmSync(archived);
  const directory = `/var/log/journal/${machine.read().system.machine_id}`;
  const done = (bytes: number, from: string): string =>
    `Vacuuming done, freed ${bytes}B of archived journals from ${from}.\n`;
  const deleted = goes ? `Deleted archived journal ${directory}/system@0.journal (${freed}B).\n` : '';
  return {
    stderr: [
      ...[deleted, done(freed, directory)],
      ...[done(0, '/run/log/journal'), done(0, '/var/log/journal')],
    ].join(''),
  };
}
