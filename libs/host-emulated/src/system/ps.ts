/** ps(1) of procps-ng: the processes of the units that run, and of the kernel. */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool } from '../tools/tool.ts';
import { readJournal } from './journal.ts';
import type { Unit } from './units.ts';

interface Process {
  readonly user: string;
  readonly pid: number;
  readonly parent: number;
  readonly command: string;
}

/** Forms that a caller of the real program uses for a full listing with long lines. */
const options = new Set([
  'aux',
  'auxf',
  'auxww',
  'auxwwf',
  'auxfww',
  'axuf',
  'axuww',
  'axuwwf',
  'fauxww',
  'ww',
  '--forest',
  'f',
  'w',
  '--no-headers',
]);

export function ps(units: () => readonly Unit[]): Tool {
  return ({ args, machine }) => {
    const unknown = args.find((arg) => !options.has(arg));
    if (unknown !== undefined)
      return failure(`error: unsupported option '${unknown}'\n\nUsage:\n ps [options]`);
    const forest = args.some((arg) => arg === '--forest' || /^[a-z]*f[a-z]*$/u.test(arg));
    const { system } = machine.read();
    const named = new Map(units().map((unit) => [unit.name, unit]));
    const list: Process[] = [
      { user: 'root', pid: 2, parent: 0, command: '[kthreadd]' },
      { user: 'root', pid: 3, parent: 2, command: '[pool_workqueue_release]' },
      { user: 'root', pid: 4, parent: 2, command: '[kworker/R-rcu_gp]' },
      { user: 'root', pid: 18, parent: 2, command: '[rcu_preempt]' },
      { user: 'root', pid: 96, parent: 2, command: '[kswapd0]' },
      {
        user: 'root',
        pid: 1,
        parent: 0,
        command: '/usr/lib/systemd/systemd --switched-root --system --deserialize=48',
      },
    ];
    for (const [name, { pid }] of Object.entries(system.units)) {
      const process = named.get(name)?.process;
      if (pid !== undefined && process !== undefined)
        list.push({ user: process.user ?? 'root', pid, parent: 1, command: process.command });
    }
    list.push(...ourServices(machine));
    const started = new Date(system.power.booted_at).toISOString().slice(11, 16);
    const lines = list.map((process) => line(process, forest, started));
    const header = args.includes('--no-headers')
      ? []
      : ['USER         PID %CPU %MEM    VSZ   RSS TTY      STAT START   TIME COMMAND'];
    return { stdout: [...header, ...lines, ''].join('\n') };
  };
}

function line({ user, pid, parent, command }: Process, forest: boolean, started: string): string {
  const kernel = command.startsWith('[');
  // A name longer than its column is cut and marked, as ps does.
  const shown = user.length > 8 ? `${user.slice(0, 7)}+` : user;
  const branch = forest && parent > 0 && kernel ? ' \\_ ' : '';
  const sizes = kernel ? '     0     0' : ' 25432 13184';
  const state = kernel ? 'S   ' : 'Ss  ';
  return `${shown.padEnd(8)} ${String(pid).padStart(7)}  0.0  0.0 ${sizes} ?        ${state} ${started}   0:00 ${branch}${command}`;
}

/** Our own services run outside of the machine; the journal knows who they are. */
function ourServices(machine: EmulatedMachine): Process[] {
  const boot = machine.read().system.power.boot_id.replaceAll('-', '');
  const latest = new Map<string, number>();
  for (const { _BOOT_ID, _SYSTEMD_UNIT = '', _PID } of readJournal(machine)) {
    const name = /^incus-os-([a-z]+)\.service$/u.exec(_SYSTEMD_UNIT)?.[1];
    if (name !== undefined && _BOOT_ID === boot && _PID !== undefined) latest.set(name, Number(_PID));
  }
  return [...latest]
    .filter(([, pid]) => isAlive(pid))
    .map(([name, pid]) => ({
      user: 'root',
      pid,
      parent: 1,
      command:
        name === 'valkey'
          ? '/usr/bin/valkey-server unixsocket:/run/incus-os/valkey.sock'
          : `/usr/bin/node /usr/lib/incus-os/${name}.mjs`,
    }));
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
