/**
 * `npm run vm`: the image in a virtual machine, in the foreground; `npm run vm -- ctl`: changes it from a second terminal.
 *
 * Exit codes: 0, 1 for what couldn't be done, 2 for a command line that can't be understood, 130 when it was interrupted
 * before the machine was on.
 */
import { CommanderError } from 'commander';
import { UserError } from '../../image/tools/sentence.ts';
import { vmProgram } from './run/program.ts';
import { Interrupted } from './run/interrupted.ts';
import { UsageError } from './run/usage-error.ts';

try {
  await vmProgram().parseAsync();
} catch (error) {
  process.exitCode = exitCodeOf(error);
  if (error instanceof UserError) process.stderr.write(`${error.message}\n`);
}

function exitCodeOf(error: unknown): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof UsageError) return 2;
  if (error instanceof Interrupted) return 130;
  if (error instanceof UserError) return 1;
  throw error;
}
