/** The emulated programs that write to drives: `blkdiscard`, `dd`, `sgdisk` and `wipefs`. */
import { type Tool, type ToolCall, type ToolResult, failure } from '../../tools/tool.ts';
import { type BlockDevice, clearDrive, findDevice, nodeOf, sizeOf } from '../devices.ts';
import { parseOptions } from '../options.ts';
import type { Machine } from '../../machine/machine.ts';
import { dropHeaders } from '../mappings.ts';
import { changing } from '../zpool/zpool.ts';

function mounted(device: BlockDevice): boolean {
  const partitions = device.partition === undefined ? device.drive.partitions : [device.partition];
  return partitions.some(({ label }) => ['root', 'esp', 'swap'].includes(label));
}

function clear(machine: Machine, device: BlockDevice): void {
  dropHeaders(machine, device);
  if (device.partition === undefined) clearDrive(device.drive);
  else delete device.partition.zfs_label;
}

/** Exit code for what the drive has no command for (blkdiscard(8)). */
const notSupported = 2;

export const blkdiscard: Tool = (call) => {
  const options = parseOptions(call.args, 'fqsvzl:o:p:', ['force', 'secure', 'zeroout']);
  if (options.unknown !== undefined) return failure(`blkdiscard: invalid option -- '${options.unknown}'`);
  const [path = ''] = options.operands;
  return changing(call, (storage, machine) => {
    const device = findDevice(storage, path);
    if (device === undefined) return failure(`blkdiscard: cannot open ${path}: No such file or directory`);
    if (mounted(device) && !options.flags.has('f'))
      return failure(`blkdiscard: ${path} contains existing partition (gpt).`);
    if (device.drive.failed)
      return failure(`blkdiscard: BLKDISCARD: ${path} ioctl failed: Input/output error`);
    const forced = options.flags.has('f') ? 'blkdiscard: Operation forced, data will be lost!\n' : '';
    // No emulated drive has a secure discard, only NVMe drives have a discard.
    const unsupported = options.flags.has('s')
      ? 'BLKSECDISCARD'
      : !options.flags.has('z') && device.drive.bus !== 'nvme'
        ? 'BLKDISCARD'
        : undefined;
    if (unsupported !== undefined)
      return failure(
        `${forced}blkdiscard: ${unsupported}: ${path} ioctl failed: Operation not supported`,
        notSupported,
      );
    clear(machine, device);
    return { stderr: forced };
  });
};

/** `dd` as far as it copies a few bytes to or from a device, or overwrites it with zeros. */
export const dd: Tool = (call) => {
  const operands = new Map(
    call.args.map((arg) => [arg.slice(0, arg.indexOf('=')), arg.slice(arg.indexOf('=') + 1)]),
  );
  const unknown = [...operands.keys()].find(
    (key) => !['if', 'of', 'bs', 'count', 'skip', 'seek', 'iflag', 'oflag', 'conv', 'status'].includes(key),
  );
  if (unknown !== undefined)
    return failure(`dd: unrecognized operand '${unknown}'\nTry 'dd --help' for more information.`);
  const output = operands.get('of');
  if (output !== undefined) {
    return changing(call, (_storage, machine) => ddWrite(machine, operands, output, call));
  }
  const input = operands.get('if') ?? '';
  const device = findDevice(call.machine.read().storage, input);
  if (device === undefined) return failure(`dd: failed to open '${input}': No such file or directory`);
  const length = Number(operands.get('bs') ?? '512') * Number(operands.get('count') ?? '1');
  const written =
    device.partition === undefined ? device.drive.written[operands.get('skip') ?? '0'] : undefined;
  return {
    stdout: Buffer.concat([Buffer.from(written ?? '', 'hex'), Buffer.alloc(length)])
      .subarray(0, length)
      .toString('latin1'),
  };
};

function ddWrite(
  machine: Machine,
  operands: ReadonlyMap<string, string>,
  output: string,
  { stdin }: ToolCall,
): ToolResult {
  const device = findDevice(machine.storage, output);
  if (device === undefined) return failure(`dd: failed to open '${output}': No such file or directory`);
  if (device.drive.failed) return failure(`dd: error writing '${output}': Input/output error`);
  if (operands.get('if') === '/dev/zero') {
    clear(machine, device);
    return {};
  }
  const offset = operands.get('seek') ?? '0';
  if (Number(offset) + stdin.length > sizeOf(device))
    return failure(`dd: error writing '${output}': No space left on device`);
  if (device.partition === undefined) device.drive.written[offset] = Buffer.from(stdin).toString('hex');
  return {};
}

export const sgdisk: Tool = (call) => {
  const options = parseOptions(call.args, 'Zzopn:t:c:d:i:', ['zap-all']);
  if (options.unknown !== undefined) return failure(`sgdisk: invalid option -- '${options.unknown}'`, 1);
  const [path = ''] = options.operands;
  if (options.flags.has('p')) return printTable(call, path);
  return changing(call, (storage) => {
    const device = findDevice(storage, path);
    const missing = `Problem opening ${path} for reading! Error is 2.\nThe specified file does not exist!`;
    if (device === undefined)
      return failure(
        options.flags.has('Z')
          ? `${missing}\nProblem opening '' for writing! Program will now terminate.\nWarning! MBR not overwritten! Error is 2!`
          : missing,
        2,
      );
    const { drive } = device;
    const anew = drive.partition_table ? '' : 'Creating new GPT entries in memory.\n';
    if (options.flags.has('Z') || options.flags.has('o')) {
      drive.partitions = [];
      drive.partition_table = options.flags.has('o');
    }
    for (const text of options.values.get('d') ?? [])
      drive.partitions = drive.partitions.filter(({ number }) => number !== Number(text));
    for (const text of options.values.get('n') ?? []) {
      const [number = 0, first = 0, last = 0] = text.split(':').map(Number);
      if (drive.partitions.some((partition) => partition.number === number))
        return failure(`Could not create partition ${number} from ${first} to ${last}`, 4);
      const start = first === 0 ? 2048 : first;
      const end = last === 0 ? Math.floor(drive.size_bytes / 512) - 34 : last;
      if (end <= start)
        return failure(
          `Could not create partition ${number} from ${start} to ${end}\nError encountered; not saving changes.`,
          4,
        );
      drive.partitions.push({ number, label: '', start_sector: start, size_bytes: (end - start + 1) * 512 });
      drive.partition_table = true;
    }
    for (const text of options.values.get('c') ?? []) {
      const at = text.indexOf(':');
      const partition = drive.partitions.find(({ number }) => number === Number(text.slice(0, at)));
      if (partition === undefined)
        return failure(`Unable to set partition ${text.slice(0, at)}'s name to '${text.slice(at + 1)}'!`, 4);
      partition.label = text.slice(at + 1);
    }
    return {
      stdout: `${anew}${
        options.flags.has('Z')
          ? 'GPT data structures destroyed! You may now partition the disk using fdisk or\nother utilities.\n'
          : 'The operation has completed successfully.\n'
      }`,
    };
  });
};

function printTable({ machine }: ToolCall, path: string): ToolResult {
  const device = findDevice(machine.read().storage, path);
  if (device === undefined) return failure(`Problem opening ${path} for reading! Error is 2.`, 2);
  const { drive } = device;
  const rows = drive.partitions.map(({ number, start_sector, size_bytes, label }) => {
    const end = start_sector + size_bytes / 512 - 1;
    return `${String(number).padStart(4)}  ${String(start_sector).padStart(14)}  ${String(end).padStart(14)}   ${(size_bytes / 1024 ** 2).toFixed(1)} MiB   8300  ${label}`;
  });
  return {
    stdout: `Disk ${nodeOf({ drive })}: ${drive.size_bytes / 512} sectors, ${(drive.size_bytes / 1024 ** 3).toFixed(1)} GiB\nNumber  Start (sector)    End (sector)  Size       Code  Name\n${rows.join('\n')}\n`,
  };
}

export const wipefs: Tool = (call) => {
  const options = parseOptions(call.args, 'afqnJ', ['all', 'force', 'quiet', 'json', 'no-act']);
  if (options.unknown !== undefined) return failure(`wipefs: invalid option -- '${options.unknown}'`);
  const [path = ''] = options.operands;
  return changing(call, (storage) => {
    const device = findDevice(storage, path);
    if (device === undefined)
      return failure(`wipefs: error: ${path}: probing initialization failed: No such file or directory`);
    if (!options.flags.has('a') && !options.flags.has('all')) return {};
    if (mounted(device))
      return failure(`wipefs: error: ${path}: probing initialization failed: Device or resource busy`);
    if (device.partition === undefined) {
      device.drive.partitions = [];
      device.drive.partition_table = false;
      delete device.drive.signature;
    } else delete device.partition.zfs_label;
    return {};
  });
};
