/** ovs-vsctl(8) of Open vSwitch 3.5 on the table `Open_vSwitch`, whose column `external_ids` is all that anyone sets. */
import type { EmulatedMachine } from '../../machine/emulated-machine.ts';
import { statusOf } from '../../system/units.ts';
import { failure, type Tool, type ToolResult } from '../../tools/tool.ts';
import { parsePosixFlags, FlagError } from './flags.ts';

const version = 'ovs-vsctl (Open vSwitch) 3.5.0\nDB Schema 8.8.0\n';

export const ovsVsctl: Tool = async ({ args, machine }) => {
  let parsed;
  try {
    parsed = parsePosixFlags(optionsOf(args), {
      values: ['timeout', 'columns', 'format', 'db'],
      switches: ['no-wait', 'if-exists', 'version', 'oneline'],
    });
  } catch (error) {
    if (!(error instanceof FlagError)) throw error;
    return fail(error.message.replace(/^unknown flag: (.*)$/u, "unrecognized option '$1'"));
  }
  const { flags } = parsed;
  if (flags.has('version')) return { stdout: version };
  const results: string[] = [];
  for (const command of commandsOf([...parsed.rest, ...args.slice(optionsOf(args).length)])) {
    const result = await run(command, machine, flags);
    if (typeof result !== 'string') return result;
    results.push(result);
  }
  return { stdout: results.join('') };
};

/** The program's own options come before the first command. */
function optionsOf(args: readonly string[]): readonly string[] {
  const first = args.findIndex((arg) => !arg.startsWith('--') || arg === '--');
  return first === -1 ? args : args.slice(0, first);
}

/** Commands are separated by `--`, each with options in front. */
function commandsOf(words: readonly string[]): string[][] {
  const commands: string[][] = [[]];
  for (const word of words) {
    if (word === '--') commands.push([]);
    else if (word !== '--if-exists') commands.at(-1)?.push(word);
  }
  return commands.filter((command) => command.length > 0);
}

async function run(
  [verb = '', ...args]: readonly string[],
  machine: EmulatedMachine,
  flags: ReadonlyMap<string, string>,
): Promise<string | ToolResult> {
  const least = { init: 0, set: 3, get: 2, remove: 3, list: 1, 'list-br': 0 }[verb];
  if (least === undefined) return fail(`unknown command '${verb}'; use --help for help`);
  if (args.length < least) return fail(`'${verb}' command requires at least ${least} arguments`);
  if (statusOf(machine, 'ovsdb-server.service').active !== 'active') {
    return fail('unix:/var/run/openvswitch/db.sock: database connection failed (No such file or directory)');
  }
  if (verb === 'init' || verb === 'list-br') return '';
  const [table = '', record = '', ...rest] = args;
  if (table.toLowerCase().replaceAll('-', '_') !== 'open_vswitch') return fail(`unknown table "${table}"`);
  if (verb === 'list') return list(machine, flags);
  if (record !== '.') return fail(`no row "${record}" in table Open_vSwitch`);
  if (verb === 'get') return get(machine, rest, flags.has('if-exists'));
  return verb === 'set' ? set(machine, rest, flags) : remove(machine, rest);
}

async function set(
  machine: EmulatedMachine,
  settings: readonly string[],
  flags: ReadonlyMap<string, string>,
): Promise<string | ToolResult> {
  const values: Record<string, string> = {};
  for (const setting of settings) {
    const [, column = '', key, text = ''] = /^([^:=]+)(?::([^=]+))?=(.*)$/su.exec(setting) ?? [];
    if (key === undefined || text === '')
      return fail(`${setting}: argument does not end in "=" followed by a value.`);
    const problem = columnProblem(column);
    if (problem !== undefined) return problem;
    const value = parseString(text);
    if (value === undefined) return fail(`${setting}: ${text}: not a valid quoted string`);
    values[key] = value;
  }
  await machine.change(({ network }) => {
    Object.assign(network.addons.open_vswitch.external_ids, values);
  });
  const waits = !flags.has('no-wait') && statusOf(machine, 'ovs-vswitchd.service').active !== 'active';
  if (!waits) return '';
  // Nobody takes the change over.
  return failure('fatal_signal|WARN|terminating with signal 14 (Alarm clock)', 142);
}

async function remove(
  machine: EmulatedMachine,
  [column = '', ...keys]: readonly string[],
): Promise<string | ToolResult> {
  const problem = columnProblem(column);
  if (problem !== undefined) return problem;
  await machine.change(({ network: { addons } }) => {
    const ids = addons.open_vswitch.external_ids;
    addons.open_vswitch.external_ids = Object.fromEntries(
      Object.entries(ids).filter(([key]) => !keys.includes(key)),
    );
  });
  return '';
}

function get(machine: EmulatedMachine, columns: readonly string[], ifExists: boolean): string | ToolResult {
  const ids = machine.read().network.addons.open_vswitch.external_ids;
  const lines: string[] = [];
  for (const each of columns) {
    const [column = '', ...key] = each.split(':');
    const problem = columnProblem(column);
    if (problem !== undefined) return problem;
    const name = key.join(':');
    if (name === '') lines.push(formatMap(ids));
    else {
      const value = ids[name];
      if (value === undefined && !ifExists)
        return fail(`no key "${name}" in Open_vSwitch record "." column external_ids`);
      lines.push(value === undefined ? '' : formatString(value));
    }
  }
  return `${lines.join('\n')}\n`;
}

function list(machine: EmulatedMachine, flags: ReadonlyMap<string, string>): string | ToolResult {
  const ids = machine.read().network.addons.open_vswitch.external_ids;
  if ((flags.get('columns') ?? 'external_ids') !== 'external_ids')
    return columnProblem(flags.get('columns') ?? '') ?? '';
  if (flags.get('format') !== 'json') return `external_ids        : ${formatMap(ids)}\n`;
  const map = ['map', Object.entries(ids).toSorted(byKey)];
  return `${JSON.stringify({ data: [[map]], headings: ['external_ids'] })}\n`;
}

function columnProblem(column: string): ToolResult | undefined {
  if (column.replaceAll('-', '_') === 'external_ids') return undefined;
  return fail(`Open_vSwitch does not contain a column whose name matches "${column}"`);
}

/** A string in quotes is one of JSON; anything else is taken as it is (ovs-vsctl(8), Database Values). */
function parseString(text: string): string | undefined {
  if (!text.startsWith('"')) return text;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}

function formatMap(map: Readonly<Record<string, string>>): string {
  const entries = Object.entries(map).toSorted(byKey);
  return `{${entries.map(([key, value]) => `${formatString(key)}=${formatString(value)}`).join(', ')}}`;
}

/** Quoted unless it looks like an identifier (`string_needs_quotes` in lib/ovsdb-data.c). */
function formatString(text: string): string {
  return /^[A-Za-z_][\w.-]*$/u.test(text) && text !== 'true' && text !== 'false'
    ? text
    : JSON.stringify(text);
}

function byKey([a]: readonly [string, string], [b]: readonly [string, string]): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function fail(text: string): ToolResult {
  return failure(`ovs-vsctl: ${text}`);
}
