import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { appendJournal } from '../system/journal.ts';

/** What a daemon writes to the journal. */
export function say(machine: EmulatedMachine, unit: string, lines: readonly string[]): void {
  for (const line of lines) appendJournal(machine, unit, line);
}
