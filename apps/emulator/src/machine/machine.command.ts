/** `machine`: shows an emulated machine and changes its hardware, whether or not the appliance runs on it. */
import { Command } from 'commander';
import { areas, EmulatedMachine, openEmulatedHost } from '@incusos/host-emulated';
import { defaultDirectory, layoutOf } from '../directory.ts';

function open(command: Command): EmulatedMachine {
  const { dir } = command.optsWithGlobals<{ dir: string }>();
  const { directory } = layoutOf(dir);
  const machine = new EmulatedMachine(directory);
  if (!machine.exists) throw new Error(`there is no machine in ${directory}; npm start makes one`);
  return machine;
}

export function machineCommand(): Command {
  const machine = new Command('machine')
    .enablePositionalOptions()
    .description('Shows an emulated machine and changes its hardware, also while the appliance runs on it.')
    .option('--dir <dir>', 'where the machine is kept', defaultDirectory());
  machine
    .command('show')
    .description('prints the description of the machine (JSON)')
    .action((_options: unknown, command: Command) => {
      process.stdout.write(`${JSON.stringify(open(command).read(), undefined, 2)}\n`);
    });
  machine
    .command('console')
    .description('prints what the machine’s screen shows')
    .action(async (_options: unknown, command: Command) => {
      const { consoleText } = await import('./console.command.ts');
      process.stdout.write(`${await consoleText(open(command))}\n`);
    });
  addHardwareCommands(machine);
  machine
    .command('exec')
    .description('runs one of the machine’s programs, such as `exec -- zpool status`')
    .argument('<program>', 'its name')
    .argument('[args...]', 'its arguments')
    .passThroughOptions()
    .action(async (program: string, args: string[], _options: unknown, command: Command) => {
      const host = openEmulatedHost(open(command));
      const { exitCode, stdout, stderr } = await host.programs.run([program, ...args], {
        acceptExitCodes: 'any',
      });
      process.stdout.write(stdout);
      process.stderr.write(stderr);
      process.exitCode = exitCode;
    });
  return machine;
}

/** What can be done in a group of commands, such as `add, remove, fail`. */
function verbsOf(group: string): string {
  const names = areas.flatMap((area) => area.commands).map(({ name }) => name);
  return names
    .filter((name) => name.startsWith(`${group} `))
    .map((name) => name.slice(group.length + 1))
    .join(', ');
}

/** `drive add` and the like, as the areas of the machine offer them. */
function addHardwareCommands(machine: Command): void {
  const groups = new Map<string, Command>();
  for (const offered of areas.flatMap((area) => area.commands)) {
    const words = offered.name.split(' ');
    let parent = machine;
    for (const [depth, word] of words.slice(0, -1).entries()) {
      const path = words.slice(0, depth + 1).join(' ');
      let group = groups.get(path);
      if (group === undefined) {
        group = parent.command(word).description(verbsOf(path));
        groups.set(path, group);
      }
      parent = group;
    }
    const command = parent.command(words.at(-1) ?? offered.name).description(offered.summary);
    for (const { name, summary } of offered.args) command.argument(name, summary);
    for (const { flags, summary, required } of offered.options ?? []) {
      if (required === true) command.requiredOption(flags, summary);
      else command.option(flags, summary);
    }
    command.action(async (...given: unknown[]) => {
      const options = command.opts<Record<string, string | boolean>>();
      const args = given.filter((value): value is string => typeof value === 'string');
      process.stdout.write(`${await offered.run(open(command), args, options)}\n`);
    });
  }
}
