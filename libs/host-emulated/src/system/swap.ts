/** Compressed swap in memory: zramctl(8), mkswap(8), swapon(8) and swapoff(8). */
import type { Files } from '@incusos/host';
import { failure, type Tool } from '../tools/tool.ts';
import { showZram } from './zram-device.ts';

const device = '/dev/zram0';
const algorithms = ['lzo-rle', 'lzo', 'lz4', 'lz4hc', 'zstd', 'deflate', '842'];

/** Sizes as util-linux reads them: powers of 1024, `KiB` as `K`; powers of 1000 with `KB`. */
function parseSize(text: string): bigint | undefined {
  const match = /^(\d+)\s*(?:([KMGTPE])(iB|B)?)?$/u.exec(text);
  if (match === null) return undefined;
  const [, digits = '0', unit, suffix] = match;
  const exponent = unit === undefined ? 0n : BigInt('KMGTPE'.indexOf(unit) + 1);
  return BigInt(digits) * (suffix === 'B' ? 1000n : 1024n) ** exponent;
}

async function exists(files: Files): Promise<boolean> {
  return files.exists(device);
}

/** `zramctl --reset DEV`, `zramctl [--algorithm A] --size S DEV`, and with `--find` instead of DEV for the next free one. */
export const zramctl: Tool = async ({ args, files, machine }) => {
  let size: string | undefined;
  let algorithm: string | undefined;
  let reset = false;
  let find = false;
  const names: string[] = [];
  for (let index = 0; index < args.length; index += 1) {
    const arg = args[index] ?? '';
    if (arg === '--reset' || arg === '-r') reset = true;
    else if (arg === '--find' || arg === '-f') find = true;
    else if (arg === '--size' || arg === '-s') size = args[(index += 1)];
    else if (arg.startsWith('--size=')) size = arg.slice(7);
    else if (arg === '--algorithm' || arg === '-a') algorithm = args[(index += 1)];
    else if (arg.startsWith('--algorithm=')) algorithm = arg.slice(12);
    else if (arg.startsWith('-'))
      return failure(`zramctl: unrecognized option '${arg}'\nTry 'zramctl --help' for more information.`);
    else names.push(arg);
  }
  const name = find ? device : (names[0] ?? '');
  if (find && !(await exists(files))) {
    if (!machine.read().system.kernel.modules.includes('zram'))
      return failure('zramctl: no free zram device found');
    await showZram(files);
  }
  const missing = reset ? 'failed to reset: No such device' : 'No such device';
  if (name !== device || !(await exists(files))) return failure(`zramctl: ${name}: ${missing}`);
  const inUse = machine.read().system.swaps[device] !== undefined;
  if (reset) {
    if (inUse) return failure(`zramctl: ${device}: failed to reset: Device or resource busy`);
    // It takes the device out of the kernel (util-linux 2.41).
    await files.remove('/sys/block/zram0');
    await files.remove(device);
    return {};
  }
  const bytes = size === undefined ? undefined : parseSize(size);
  if (size === undefined) return failure('zramctl: option --algorithm must be used with --size');
  if (bytes === undefined) return failure('zramctl: failed to parse size');
  if (inUse || (await files.readText('/sys/block/zram0/disksize')).trim() !== '0') {
    return failure(`zramctl: ${device}: failed to set number of streams: Device or resource busy`);
  }
  if (algorithm !== undefined) {
    if (!algorithms.includes(algorithm))
      return failure(`zramctl: ${device}: failed to set algorithm: Invalid argument`);
    const list = algorithms.map((name) => (name === algorithm ? `[${name}]` : name)).join(' ');
    await files.writeInPlace('/sys/block/zram0/comp_algorithm', `${list}\n`);
  }
  await files.writeInPlace('/sys/block/zram0/disksize', `${bytes}\n`);
  return find ? { stdout: `${device}\n` } : {};
};

/** Sizes below a MiB would be told in KiB. */
function sizeInWords(bytes: bigint): string {
  const tenths = (bytes * 10n) / 1024n ** 2n;
  const rounded = tenths % 10n === 0n ? `${tenths / 10n}` : `${tenths / 10n}.${tenths % 10n}`;
  return `${rounded} MiB (${bytes} bytes)`;
}

/** `mkswap [-f] DEV`. */
export const mkswap: Tool = async ({ args, files }) => {
  const name = args.find((arg) => !arg.startsWith('-'));
  const option = args.find((arg) => arg.startsWith('-') && arg !== '-f' && arg !== '--force');
  if (option !== undefined) return failure(`mkswap: unrecognized option '${option}'`);
  if (name !== device || !(await exists(files)))
    return failure(`mkswap: cannot open ${name ?? ''}: No such file or directory`);
  const bytes = BigInt((await files.readText('/sys/block/zram0/disksize')).trim());
  if (bytes < 40_960n) return failure('mkswap: error: swap area needs to be at least 40 KiB');
  // The header is the first page that the device holds.
  await files.writeInPlace('/sys/block/zram0/mm_stat', '4096 73 12288 0 12288 0 0 0 0\n');
  return {
    stdout: `Setting up swapspace version 1, size = ${sizeInWords(bytes - 4096n)}\nno label, UUID=5c8b1c3e-2f0b-4a2f-9c55-0d1e2f3a4b5c\n`,
  };
};

/** `swapon [--priority N] DEV`. */
export const swapon: Tool = async ({ args, files, machine }) => {
  const at = args.findIndex((arg) => arg === '--priority' || arg === '-p');
  const priority = at === -1 ? -2 : Number(args[at + 1]);
  const rest = args.filter((_arg, index) => at === -1 || (index !== at && index !== at + 1));
  const option = rest.find((arg) => arg.startsWith('-'));
  if (option !== undefined) return failure(`swapon: unrecognized option '${option}'`);
  const name = rest[0] ?? '';
  if (name !== device || !(await exists(files)))
    return failure(`swapon: cannot open ${name}: No such file or directory`, 255);
  if (machine.read().system.swaps[name] !== undefined)
    return failure(`swapon: ${name}: swapon failed: Device or resource busy`, 255);
  if ((await files.readText('/sys/block/zram0/mm_stat')).startsWith('0 ')) {
    return failure(`swapon: ${name}: read swap header failed`, 255);
  }
  const bytes = Number((await files.readText('/sys/block/zram0/disksize')).trim());
  await machine.change(({ system }) => {
    system.swaps[name] = { size: Math.floor(bytes / 1024) - 4, priority };
  });
  return {};
};

/** `swapoff DEV`. */
export const swapoff: Tool = async ({ args, files, machine }) => {
  const name = args[0] ?? '';
  if (name.startsWith('-') && name !== '-a') return failure(`swapoff: unrecognized option '${name}'`);
  if (name !== '-a' && machine.read().system.swaps[name] === undefined) {
    const why = (await files.exists(name)) ? 'Invalid argument' : 'No such file or directory';
    return failure(`swapoff: ${name}: swapoff failed: ${why}`, 4);
  }
  await machine.change(({ system }) => {
    if (name === '-a') system.swaps = {};
    else system.swaps = Object.fromEntries(Object.entries(system.swaps).filter(([other]) => other !== name));
  });
  return {};
};
