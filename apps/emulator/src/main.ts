/** The appliance on an emulated machine: `start` runs it, `machine` shows and changes the hardware. */
import { Command } from 'commander';
import { machineCommand } from './machine/machine.command.ts';
import { startCommand } from './start/start.command.ts';

const program = new Command('incusos')
  .description('IncusOS on an emulated machine')
  .enablePositionalOptions()
  .addCommand(startCommand())
  .addCommand(machineCommand())
  .showHelpAfterError();

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
