/** The emulated `zpool`. */
import type { Files } from '@incusos/host';
import { type Tool, type ToolResult, failure } from '../../tools/tool.ts';
import { syncDeviceFiles } from '../device-files.ts';
import { deviceLinks } from '../devices.ts';
import type { Machine } from '../../machine/machine.ts';
import { followMappings } from '../mappings.ts';
import type { Pool, StorageSection } from '../section.ts';
import { settle } from './clock.ts';
import { add, create, destroy, labelclear } from './create.ts';
import { events } from './events.ts';
import { exportPool, importPool } from './import.ts';
import { attach, clear, detach, offline, online, remove, replace } from './members.ts';
import { get, list, set } from './properties.ts';
import { scrub, trim, wait } from './scans.ts';
import { Refusal } from './spec.ts';
import { status } from './status.ts';

type OpenPool = (name: string) => Pool;
type Reader = (
  storage: StorageSection,
  args: readonly string[],
  now: number,
  openPool: OpenPool,
) => ToolResult;
type Writer = (
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
  files: Files,
) => ToolResult | Promise<ToolResult>;

const readers: Readonly<Record<string, Reader>> = {
  status,
  list,
  get: (storage, args, _now, openPool) => get(storage, args, openPool),
};

const writers: Readonly<Record<string, Writer>> = {
  create: (storage, args, _open, now, files) => create(storage, args, files, now),
  add,
  attach,
  detach,
  replace,
  remove,
  offline,
  online,
  clear,
  destroy,
  labelclear,
  scrub,
  trim,
  set,
  import: (storage, args, _open, _now, files) => importPool(storage, args, files),
  export: exportPool,
};

function opener(storage: StorageSection): OpenPool {
  return (name) => {
    const pool = storage.pools.find((candidate) => candidate.imported && candidate.name === name);
    if (pool === undefined) throw new Refusal(`cannot open '${name}': no such pool`);
    return pool;
  };
}

/** Runs a step of a ZFS tool; its refusals become what the tool prints. */
export async function answer(step: () => ToolResult | Promise<ToolResult>): Promise<ToolResult> {
  try {
    return await step();
  } catch (error) {
    if (error instanceof Refusal) return failure(error.message, error.exitCode);
    throw error;
  }
}

/** Carries a non-zero result out of a change that must not be kept. */
class Unchanged extends Error {
  constructor(readonly result: ToolResult) {
    super('nothing was changed');
  }
}

export const zpool: Tool = async (call) => {
  const [command = '', ...args] = call.args;
  const now = Date.now();
  if (command === 'events') return events(call);
  if (command === 'wait') return wait(call);
  const reader = readers[command];
  if (reader !== undefined) {
    const { storage, security } = call.machine.read();
    const view = { storage: structuredClone<StorageSection>(storage), security };
    followMappings(view);
    settle(view.storage, now);
    return answer(() => reader(view.storage, args, now, opener(view.storage)));
  }
  const writer = writers[command];
  if (writer === undefined)
    return failure(
      command === ''
        ? 'missing command\nusage: zpool command args ...'
        : `unrecognized command '${command}'\nusage: zpool command args ...`,
      2,
    );
  return changing(call, (storage) => writer(storage, args, opener(storage), now, call.files));
};

/** Makes a change to the machine's storage, or none at all when the tool refuses. */
export function changing(
  { machine, files }: Pick<Parameters<Tool>[0], 'machine' | 'files'>,
  change: (storage: StorageSection, machine: Machine) => ToolResult | Promise<ToolResult>,
): Promise<ToolResult> {
  return machine
    .change(async (described) => {
      const { storage } = described;
      followMappings(described);
      settle(storage, Date.now());
      const before = [...deviceLinks(storage).keys()].join();
      const result = await answer(() => change(storage, described));
      if ((result.exitCode ?? 0) !== 0) throw new Unchanged(result);
      if ([...deviceLinks(storage).keys()].join() !== before) await syncDeviceFiles(files, storage);
      return result;
    })
    .catch((error: unknown) => {
      if (error instanceof Unchanged) return error.result;
      throw error;
    });
}
