/** The command line of `npm run vm -- ctl`. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Command } from 'commander';
import { fromHere, machineDirectory } from '../run/directory.ts';
import { control } from './client.ts';
import type { ControlCommand } from './command.ts';
import { controlCommands } from './commands.ts';
import { SerialReader } from './serial-reader.ts';

const followMs = 250;

const examples = `
Examples:
  npm run vm -- ctl drive add disk1 --size 10GiB
  npm run vm -- ctl drive add disk2 --size 10GiB --bus nvme
  npm run vm -- ctl nic add enp6s0
  npm run vm -- ctl nic link enp6s0 down
  npm run vm -- ctl power cut
  npm run vm -- ctl screenshot screen.png
  npm run vm -- ctl serial --follow
`;

/** Adds `ctl` to a program. */
export function addControl(program: Command): void {
  const ctl = program
    .command('ctl')
    .description('Shows a virtual machine and changes its hardware from a second terminal.')
    .option('--dir <dir>', 'where the machine is; .incusos/vm unless given')
    .enablePositionalOptions()
    .addHelpText('after', examples);
  const groups = new Map<string, Command>();
  for (const offered of controlCommands) {
    const [first = '', second] = offered.name.split(' ');
    let parent = ctl;
    if (second !== undefined) {
      parent = groups.get(first) ?? ctl.command(first).description(verbsOf(first));
      groups.set(first, parent);
    }
    offer(parent, second ?? first, offered);
  }
}

function offer(parent: Command, word: string, offered: ControlCommand): void {
  const command = parent.command(word).description(offered.summary);
  for (const { name, summary } of offered.args) command.argument(name, summary);
  for (const { flags, summary } of offered.options ?? []) command.option(flags, summary);
  command.action(async (...given: unknown[]) => {
    const { dir, ...rest } = command.optsWithGlobals<Record<string, string | boolean>>();
    const options = Object.fromEntries(
      command.options.flatMap((option) => {
        const value = rest[option.attributeName()];
        return value === undefined ? [] : [[option.attributeName(), value]];
      }),
    );
    const args = given.filter((value) => typeof value === 'string');
    const directory = machineDirectory(typeof dir === 'string' ? dir : undefined);
    await carryOut(directory, offered, args, options);
  });
}

async function carryOut(
  directory: string,
  command: ControlCommand,
  args: readonly string[],
  options: Readonly<Record<string, string | boolean>>,
): Promise<void> {
  const paths = command.name === 'screenshot' ? args.map(fromHere) : args;
  const text = await control(directory, command, paths, options);
  if (command.name === 'serial') await showSerial(text, options['follow'] === true);
  else process.stdout.write(`${text}\n`);
}

async function showSerial(path: string, follow: boolean): Promise<void> {
  const reader = new SerialReader(path);
  process.stdout.write(reader.next());
  if (!follow) return;
  const stopping = new AbortController();
  process.once('SIGINT', () => stopping.abort());
  // Looked at anew each time, since a machine that is switched on again has another file.
  while (!stopping.signal.aborted) {
    await sleep(followMs);
    process.stdout.write(reader.next());
  }
}

/** What can be done in a group of commands, such as `add, remove, fail`. */
function verbsOf(group: string): string {
  const names = controlCommands.map(({ name }) => name.split(' '));
  return names
    .flatMap(([first, second]) => (first === group && second !== undefined ? [second] : []))
    .join(', ');
}
