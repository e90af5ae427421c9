/** Kernel settings: sysctl(8) and what systemd-sysctl.service applies at boot and at each restart. */
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { failure, type Tool } from '../tools/tool.ts';
import { congestionControls } from './procfs.ts';

/** Lower directories lose against a file of the same name in a higher one (sysctl.d(5)). */
const directories = ['/etc/sysctl.d', '/run/sysctl.d', '/usr/lib/sysctl.d'];

const queueingDisciplines = [
  'pfifo_fast',
  'pfifo',
  'bfifo',
  'fq',
  'fq_codel',
  'fq_pie',
  'cake',
  'sfq',
  'codel',
  'noqueue',
];

function settingPath(key: string): string {
  // In `net/ipv4.conf` notation the first separator decides which one it is.
  const separator = /[./]/u.exec(key)?.[0] ?? '.';
  return `/proc/sys/${separator === '/' ? key : key.replaceAll('.', '/')}`;
}

/** What the kernel refuses; the errno's text. */
async function refusal(machine: EmulatedMachine, path: string, value: string): Promise<string | undefined> {
  const { files } = machine;
  if (!(await files.exists(path))) return 'No such file or directory';
  if (path.endsWith('/default_qdisc') && !queueingDisciplines.includes(value))
    return 'No such file or directory';
  if (path.endsWith('/tcp_congestion_control')) {
    if (!congestionControls(machine).includes(value)) return 'No such file or directory';
  }
  const numeric = /^\d/u.test(await files.readText(path));
  if (numeric && !/^\d+(\s+\d+)*$/u.test(value)) return 'Invalid argument';
  return undefined;
}

async function write(files: Files, path: string, value: string): Promise<void> {
  await files.writeInPlace(path, `${value.split(/\s+/u).join('\t')}\n`);
}

/** Applies every `*.conf` in order of name. @throws Error naming the first setting that the kernel refused. */
export async function applySysctlFiles(machine: EmulatedMachine): Promise<void> {
  const { files } = machine;
  const chosen = new Map<string, string>();
  for (const directory of directories.toReversed()) {
    for (const name of await files.list(directory))
      if (name.endsWith('.conf')) chosen.set(name, `${directory}/${name}`);
  }
  let problem: string | undefined;
  for (const name of [...chosen.keys()].toSorted()) {
    for (const line of (await files.readText(chosen.get(name) ?? '')).split('\n')) {
      const match = /^\s*(-?)([^#;=\s][^=]*?)\s*=\s*(.*?)\s*$/u.exec(line);
      if (match === null) continue;
      const [, dash, key = '', value = ''] = match;
      const path = settingPath(key);
      const why = await refusal(machine, path, value);
      if (why === undefined) await write(files, path, value);
      // A setting that this kernel doesn't have is no failure of the service.
      else if (dash === '' && (await files.exists(path)))
        problem ??= `Couldn't write '${value}' to '${key.replaceAll('.', '/')}': ${why}`;
    }
  }
  if (problem !== undefined) throw new Error(problem);
}

/** sysctl(8): `sysctl [-n] [-w] KEY[=VALUE]…`. */
export const sysctl: Tool = async ({ args, files, machine }) => {
  let stdout = '';
  const bare = args.includes('-n');
  for (const arg of args) {
    if (arg === '-n' || arg === '-w' || arg === '-q') continue;
    if (arg.startsWith('-')) return failure(`sysctl: unrecognized option '${arg}'`);
    const [key = '', value] = arg.split(/=(.*)/su);
    const path = settingPath(key.trim());
    if (!(await files.exists(path)))
      return { exitCode: 255, stdout, stderr: `sysctl: cannot stat ${path}: No such file or directory\n` };
    if (value !== undefined) {
      const why = await refusal(machine, path, value.trim());
      if (why !== undefined)
        return { exitCode: 255, stdout, stderr: `sysctl: setting key "${key}": ${why}\n` };
      await write(files, path, value.trim());
    }
    const now = (await files.readText(path)).trim();
    stdout += bare ? `${now}\n` : `${key} = ${now}\n`;
  }
  return { stdout };
};
