/** uname(1), stty(1), the dynamic loader's help, and the version of the Incus that is installed. */
import { failure, type Tool } from '../tools/tool.ts';

/** `uname [-s|-n|-r|-v|-m|-a]`. */
export const uname: Tool = async ({ args, machine, files }) => {
  const { kernel } = machine.read().system;
  const node = (await files.readText('/proc/sys/kernel/hostname').catch(() => 'localhost')).trim();
  const parts: Readonly<Record<string, string>> = {
    s: 'Linux',
    n: node,
    r: kernel.release,
    v: '#1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1 (2025-11-05)',
    m: 'x86_64',
  };
  const letters = args.length === 0 ? 's' : args.map((arg) => arg.replace(/^-/u, '')).join('');
  if (letters === 'a') return { stdout: `${Object.values(parts).join(' ')} GNU/Linux\n` };
  const unknown = /[^snrvm]/u.exec(letters)?.[0];
  if (unknown !== undefined)
    return failure(`uname: invalid option -- '${unknown}'\nTry 'uname --help' for more information.`);
  return {
    stdout: `${Object.keys(parts)
      .filter((letter) => letters.includes(letter))
      .map((letter) => parts[letter])
      .join(' ')}\n`,
  };
};

const baudRates = [
  50, 300, 1200, 2400, 4800, 9600, 19_200, 38_400, 57_600, 115_200, 230_400, 460_800, 921_600,
];

/** `stty -F DEVICE SPEED`. */
export const stty: Tool = async ({ args, files }) => {
  const [option, device = '', speed = ''] = args;
  if (option !== '-F' || args.length !== 3)
    return failure("stty: missing operand\nTry 'stty --help' for more information.");
  if (!(await files.exists(device))) return failure(`stty: ${device}: No such file or directory`);
  return baudRates.includes(Number(speed))
    ? {}
    : failure(`stty: invalid argument ‘${speed}’\nTry 'stty --help' for more information.`);
};

/** CPU flags that each x86-64 level adds (psABI, section 3.1.1). */
const levels: readonly [string, readonly string[]][] = [
  ['x86-64-v4', ['avx512f', 'avx512bw', 'avx512cd', 'avx512dq', 'avx512vl']],
  ['x86-64-v3', ['avx', 'avx2', 'bmi1', 'bmi2', 'f16c', 'fma', 'abm', 'movbe', 'xsave']],
  ['x86-64-v2', ['cx16', 'lahf_lm', 'popcnt', 'pni', 'sse4_1', 'sse4_2', 'ssse3']],
];

/** `ld-linux-x86-64.so.2 --help`, as far as it says what the processor can do. */
export const dynamicLoader: Tool = ({ args, machine }) => {
  if (args.length !== 1 || args[0] !== '--help')
    return failure(`${args[0] ?? ''}: error while loading shared libraries`, 127);
  const { flags } = machine.read().system.cpu;
  const lines = levels.map(([name], index) => {
    const needed = levels.slice(index).flatMap(([, list]) => list);
    return `  ${name}${needed.every((flag) => flags.includes(flag)) ? ' (supported, searched)' : ''}\n`;
  });
  return {
    stdout:
      'Usage: /lib64/ld-linux-x86-64.so.2 [OPTION]... EXECUTABLE-FILE [ARGS-FOR-PROGRAM...]\n' +
      "You have invoked 'ld.so', the program interpreter for dynamically-linked\nELF programs.\n\n" +
      `Subdirectories of glibc-hwcaps directories, in priority order:\n${lines.join('')}`,
  };
};

/** `incus --version`, as far as the image is linked. */
export const incus: Tool = async ({ args, machine, files }) => {
  if (args.length !== 1 || args[0] !== '--version')
    return failure(
      "Error: The incus daemon doesn't appear to be started (socket path: /var/lib/incus/unix.socket)",
    );
  const linked = await files.stat('/var/lib/extensions/incus.raw');
  const shipped = machine.read().system.os.applications.find(({ name }) => name === 'incus');
  if (linked === undefined || shipped === undefined) return failure('incus: command not found', 127);
  return { stdout: `${shipped.version}\n` };
};
