import { Command, InvalidArgumentError } from 'commander';
import { defaultDirectory, layoutOf } from '../directory.ts';

function port(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    throw new InvalidArgumentError('it is a number from 1 to 65535');
  return value;
}

interface StartOptions {
  readonly dir: string;
  readonly port: number;
  readonly machine?: string;
  readonly seed?: string;
  readonly plain?: boolean;
}

/** `start`: everything in the foreground, until Ctrl-C. */
export function startCommand(): Command {
  return new Command('start')
    .description('Runs the whole appliance on an emulated machine, in the foreground, until Ctrl-C.')
    .option('--dir <dir>', 'where the machine and its state are kept', defaultDirectory())
    .option('--port <port>', 'HTTPS port of the management API', port, 8443)
    .option('--machine <file>', 'description of the machine (JSON), for a directory that holds none yet')
    .option('--seed <dir or tar>', 'seed files for the first start')
    .action(async (options: StartOptions) => {
      const { runAppliance } = await import('./appliance.ts');
      await runAppliance({
        layout: layoutOf(options.dir),
        port: options.port,
        machineFile: options.machine,
        seed: options.seed,
      });
    });
}
