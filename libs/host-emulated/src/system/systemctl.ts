/** systemctl(1): the verbs the services use, with systemd's own words and exit codes. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { requestPower } from './power-request.ts';
import type { UnitStatus } from './section.ts';
import {
  findUnit,
  restartUnit,
  startUnit,
  statusOf,
  stopUnit,
  type Unit,
  UnitFailedError,
  unitFile,
  unitName,
  unitsByName,
} from './units.ts';

interface Invocation {
  readonly verb: string;
  readonly names: readonly string[];
  readonly flags: ReadonlySet<string>;
  readonly properties: readonly string[];
}

const plainFlags: Readonly<Record<string, string>> = {
  '--quiet': 'quiet',
  '-q': 'quiet',
  '--no-block': 'no-block',
  '--no-pager': 'no-pager',
  '--now': 'now',
  '--force': 'force',
  '-f': 'force',
  '--value': 'value',
  '--no-wall': 'no-wall',
  '--runtime': 'runtime',
};

/** systemctl for a machine with these units. */
export function systemctl(units: () => readonly Unit[]): Tool {
  return async (call) => {
    const invocation = parse(call.args);
    if ('stderr' in invocation) return invocation;
    return run(invocation, unitsByName(units()), call);
  };
}

function parse(args: readonly string[]): Invocation | (ToolResult & { stderr: string }) {
  const words: string[] = [];
  const flags = new Set<string>();
  const properties: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    const flag = plainFlags[arg];
    const valued = /^(?:--(?:property|signal|kill-whom)=|-[ps])(.*)$/u.exec(arg);
    if (flag !== undefined) flags.add(flag);
    else if (valued !== null) {
      const value = valued[1] === '' ? (args[(index += 1)] ?? '') : (valued[1] ?? '');
      if (arg.startsWith('--property') || arg.startsWith('-p')) properties.push(...value.split(','));
    } else if (arg.startsWith('--') && arg !== '--') return usage(`systemctl: unrecognized option '${arg}'`);
    else if (arg.startsWith('-') && arg !== '--')
      return usage(`systemctl: invalid option -- '${arg.slice(1, 2)}'`);
    else if (arg !== '--') words.push(arg);
  }
  const [verb = 'list-units', ...names] = words;
  return { verb, names: names.map(unitName), flags, properties };
}

function usage(stderr: string): ToolResult & { stderr: string } {
  return { exitCode: 1, stderr: `${stderr}\n` };
}

async function run(
  invocation: Invocation,
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  const { verb, names } = invocation;
  switch (verb) {
    case 'daemon-reload':
    case 'daemon-reexec':
      return names.length === 0 ? {} : failure('Too many arguments.');
    case 'reboot':
    case 'poweroff':
    case 'suspend':
      await requestPower(call.machine, verb);
      return {};
    case 'is-active':
    case 'is-failed':
      return check(invocation, units, call);
    case 'show':
      return show(invocation, units, call);
    case 'start':
    case 'stop':
    case 'restart':
    case 'try-restart':
    case 'reload':
    case 'reload-or-restart':
    case 'kill':
      if (names.length === 0) return failure('Too few arguments.');
      return jobs(verb, names, units, call);
    case 'enable':
    case 'disable':
      return enablement(invocation, units, call);
    case 'is-enabled':
      return isEnabled(invocation, units, call);
    default:
      return failure(`Unknown command verb '${verb}'.`);
  }
}

type JobVerb = 'start' | 'stop' | 'restart' | 'try-restart' | 'reload' | 'reload-or-restart' | 'kill';

async function jobs(
  verb: JobVerb,
  names: readonly string[],
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  const results: ToolResult[] = [];
  for (const name of names) {
    const unit = await findUnit(units, name, call.files);
    if (unit === undefined) {
      const missing = verb === 'stop' || verb === 'kill' ? 'loaded' : 'found';
      results.push(failure(`Failed to ${verb} ${name}: Unit ${name} not ${missing}.`, 5));
    } else results.push(await job(verb, unit, call));
  }
  const failed = results.filter(({ exitCode = 0 }) => exitCode !== 0);
  return { exitCode: failed[0]?.exitCode ?? 0, stderr: failed.map(({ stderr = '' }) => stderr).join('') };
}

async function job(verb: JobVerb, unit: Unit, call: ToolCall): Promise<ToolResult> {
  const { machine } = call;
  const active = statusOf(machine, unit.name).active === 'active';
  try {
    switch (verb) {
      case 'start':
        await startUnit(unit, call);
        return {};
      case 'stop':
      case 'kill':
        await stopUnit(unit, call);
        return {};
      case 'restart':
        await restartUnit(unit, call);
        return {};
      case 'try-restart':
        if (active) await restartUnit(unit, call);
        return {};
      case 'reload-or-restart':
        if (active && unit.onReload !== undefined) await unit.onReload(call);
        else await restartUnit(unit, call);
        return {};
      case 'reload':
        if (unit.onReload === undefined) {
          return failure(
            `Failed to reload ${unit.name}: Job type reload is not applicable for unit ${unit.name}.`,
          );
        }
        if (!active) return failure(`${unit.name} is not active, cannot reload.`);
        await unit.onReload(call);
        return {};
    }
  } catch (error) {
    if (!(error instanceof UnitFailedError)) throw error;
    return failure(
      `Job for ${unit.name} failed because the control process exited with error code.\n` +
        `See "systemctl status ${unit.name}" and "journalctl -xeu ${unit.name}" for details.`,
    );
  }
}

/** Exit codes 0, 3 and 4 as systemctl(1) has them: as asked, not so, no such unit. */
async function check(
  { verb, names, flags }: Invocation,
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  const wanted = verb === 'is-active' ? 'active' : 'failed';
  const states = names.map((name) => statusOf(call.machine, name).active);
  const known = await Promise.all(names.map((name) => findUnit(units, name, call.files)));
  const stdout = flags.has('quiet') ? '' : states.map((state) => `${state}\n`).join('');
  if (states.includes(wanted)) return { stdout };
  if (verb === 'is-failed') return { exitCode: 1, stdout };
  return { exitCode: known.includes(undefined) ? 4 : 3, stdout };
}

async function show(
  { names, flags, properties }: Invocation,
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  const blocks: string[] = [];
  for (const name of names) {
    const unit = await findUnit(units, name, call.files);
    const all = unitProperties(
      name,
      unit,
      statusOf(call.machine, name),
      await unitFile(name, call.files),
      call,
    );
    const wanted = properties.length === 0 ? Object.keys(all) : properties;
    const lines = wanted.flatMap((property) => {
      const value = all[property];
      // Properties that don't exist are left out, as systemctl does.
      return value === undefined ? [] : [flags.has('value') ? value : `${property}=${value}`];
    });
    blocks.push(lines.map((line) => `${line}\n`).join(''));
  }
  return { stdout: blocks.join('\n') };
}

function unitProperties(
  name: string,
  unit: Unit | undefined,
  status: UnitStatus,
  path: string | undefined,
  call: ToolCall,
): Record<string, string | undefined> {
  return {
    Id: name,
    Names: name,
    Description: unit?.description ?? name,
    LoadState: unit === undefined ? 'not-found' : 'loaded',
    ActiveState: status.active,
    SubState: status.sub,
    UnitFileState: unit === undefined ? '' : enabledState(unit, call),
    FragmentPath: unit === undefined ? '' : (path ?? `/usr/lib/systemd/system/${name}`),
    MainPID: String(status.pid ?? 0),
    Result: status.active === 'failed' ? 'exit-code' : 'success',
    ExecMainStatus: status.active === 'failed' ? '1' : '0',
    NRestarts: '0',
    ActiveEnterTimestamp: status.active === 'active' ? systemdTime(status.since) : '',
    StateChangeTimestamp: systemdTime(status.since),
  };
}

/** As systemd prints times in UTC: `Fri 2026-11-20 05:01:59 UTC`. */
function systemdTime(since: string | undefined): string {
  if (since === undefined) return '';
  const at = new Date(since);
  const day = at.toUTCString().slice(0, 3);
  return `${day} ${at.toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

function enabledState(unit: Unit, { machine }: ToolCall): string {
  return (machine.read().system.enabled_units[unit.name] ?? unit.startsAtBoot === true)
    ? 'enabled'
    : 'disabled';
}

async function enablement(
  { verb, names, flags }: Invocation,
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  for (const name of names) {
    const unit = await findUnit(units, name, call.files);
    if (unit === undefined) return failure(`Failed to ${verb} unit: Unit ${name} does not exist`);
    await call.machine.change(({ system }) => {
      system.enabled_units[name] = verb === 'enable';
    });
    if (flags.has('now')) {
      const result = await job(verb === 'enable' ? 'start' : 'stop', unit, call);
      if (result.exitCode !== undefined && result.exitCode !== 0) return result;
    }
  }
  return {};
}

async function isEnabled(
  { names, flags }: Invocation,
  units: ReadonlyMap<string, Unit>,
  call: ToolCall,
): Promise<ToolResult> {
  const states: string[] = [];
  for (const name of names) {
    const unit = await findUnit(units, name, call.files);
    states.push(unit === undefined ? 'not-found' : enabledState(unit, call));
  }
  const exitCode = states.includes('enabled') ? 0 : states.every((state) => state === 'not-found') ? 4 : 1;
  return { exitCode, stdout: flags.has('quiet') ? '' : states.map((state) => `${state}\n`).join('') };
}
