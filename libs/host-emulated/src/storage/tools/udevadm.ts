/** The emulated `udevadm`: events of block devices, and waiting for them. */
import { type Tool, type ToolCall, type ToolResult, failure } from '../../tools/tool.ts';
import { attachedDrives, type BlockDevice, findDevice, linksOf, nodeOf, sysfsPath } from '../devices.ts';
import { triggerNetwork } from '../../network/udev.ts';
import { parseOptions } from '../options.ts';
import type { StorageSection } from '../section.ts';

function blockDevices(storage: Readonly<StorageSection>): Map<string, BlockDevice> {
  const devices = attachedDrives(storage).flatMap((drive) => [
    { drive },
    ...drive.partitions
      .filter(({ mapper }) => mapper === undefined)
      .map((partition) => ({ drive, partition })),
  ]);
  return new Map(devices.map((device) => [nodeOf(device), device]));
}

function properties(storage: Readonly<StorageSection>, device: BlockDevice): string[] {
  return [
    `DEVPATH=${devicePath(storage, device)}`,
    'SUBSYSTEM=block',
    `DEVNAME=${nodeOf(device)}`,
    `DEVTYPE=${device.partition === undefined ? 'disk' : 'partition'}`,
    `ID_SERIAL_SHORT=${device.drive.serial}`,
    `DEVLINKS=${linksOf(storage, device).join(' ')}`,
  ];
}

function devicePath(storage: Readonly<StorageSection>, device: BlockDevice): string {
  const directory = sysfsPath(storage, device.drive).slice('/sys'.length);
  return device.partition === undefined ? directory : `${directory}/${nodeOf(device).slice('/dev/'.length)}`;
}

/** What makes a `change` event: a look at the content of a device. */
function content({ drive, partition }: BlockDevice): string {
  return JSON.stringify(
    partition ?? [drive.size_bytes, drive.signature, drive.partition_table, drive.failed],
  );
}

async function monitor({ args, machine, signal, write }: ToolCall): Promise<ToolResult> {
  const options = parseOptions(args.slice(1), 'kups:', ['udev', 'kernel', 'property', 'subsystem-match=']);
  if (options.unknown !== undefined) return failure(`udevadm: unrecognized option '${options.unknown}'`);
  const subsystems = [...(options.values.get('s') ?? []), ...(options.values.get('subsystem-match') ?? [])];
  write(
    'monitor will print the received events for:\nUDEV - the event which udev sends out after rule processing\n\n',
  );
  const listens = subsystems.length === 0 || subsystems.some((name) => name.split('/')[0] === 'block');
  const started = performance.now();
  let storage = structuredClone<StorageSection>(machine.read().storage);
  let known = blockDevices(storage);
  await new Promise<void>((resolve) => {
    const say = (action: string, device: BlockDevice, from: StorageSection): void => {
      const seconds = ((performance.now() - started) / 1000).toFixed(6);
      const heading = `UDEV  [${seconds}] ${action.padEnd(8)} ${devicePath(from, device)} (block)`;
      write(
        options.flags.has('property') || options.flags.has('p')
          ? `${heading}\nACTION=${action}\n${properties(from, device).join('\n')}\n\n`
          : `${heading}\n`,
      );
    };
    const look = (): void => {
      const now = structuredClone<StorageSection>(machine.read().storage);
      const seen = blockDevices(now);
      for (const [node, device] of known) if (!seen.has(node)) say('remove', device, storage);
      for (const [node, device] of seen) {
        const before = known.get(node);
        if (before === undefined || before.drive.id !== device.drive.id) say('add', device, now);
        else if (content(before) !== content(device)) say('change', device, now);
      }
      storage = now;
      known = seen;
    };
    const watcher = listens ? machine.watch(look) : undefined;
    if (listens) look();
    signal.addEventListener(
      'abort',
      () => {
        watcher?.close();
        resolve();
      },
      { once: true },
    );
  });
  return {};
}

export const udevadm: Tool = (call) => {
  const [command = '', ...args] = call.args;
  switch (command) {
    case 'monitor':
      return monitor(call);
    // The emulated udev handles an event before the change that caused it is over.
    case 'settle':
    case 'wait':
      return {};
    case 'control':
      return args.every((arg) => arg === '--reload' || arg === '-R')
        ? {}
        : failure(`udevadm: unrecognized option '${args.join(' ')}'`);
    case 'trigger':
      return triggerNetwork(call, args);
    case 'info': {
      const path =
        args.find((arg) => arg.startsWith('/dev/')) ??
        args.find((arg) => arg.startsWith('--name='))?.slice('--name='.length) ??
        '';
      const { storage } = call.machine.read();
      const device = findDevice(storage, path);
      if (device === undefined) return failure(`Unknown device "${path}": No such device`);
      return { stdout: `${properties(storage, device).join('\n')}\n` };
    }
    default:
      return failure(`Unknown command verb '${command}'.`);
  }
};
