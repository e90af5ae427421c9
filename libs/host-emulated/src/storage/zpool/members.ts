/** `zpool attach`, `detach`, `replace`, `remove`, `offline`, `online` and `clear`. */
import { type ToolResult, failure } from '../../tools/tool.ts';
import { findDevice, sizeOf } from '../devices.ts';
import { parseOptions } from '../options.ts';
import { MiB, type Pool, type StorageSection, type Vdev } from '../section.ts';
import { dropLabel, removalMs, startResilver } from './clock.ts';
import { Refusal, resolveDevice, takeDevice, usage } from './spec.ts';
import { expand, findVdev, leaves, newGuid, rootState, stateOf } from './vdevs.ts';

type OpenPool = (name: string) => Pool;

/** What the library refuses, `attach` and `replace` hand on as -1. */
const handedOn = 255;

function find(
  pool: Pool,
  device: string,
  doing: string,
  exitCode = 1,
): NonNullable<ReturnType<typeof findVdev>> {
  const found = findVdev(pool, device);
  if (found === undefined) throw new Refusal(`${doing}: no such device in pool`, exitCode);
  return found;
}

/** The error of a device that can't be taken, in the tool's words. */
function claim(
  storage: Readonly<StorageSection>,
  device: string,
  least: number,
  force: boolean,
  doing: string,
): void {
  const target = resolveDevice(storage, device);
  const { always, unlessForced } = usage(storage, device, target);
  if (always !== undefined) throw new Refusal(always);
  if (unlessForced !== undefined && !force)
    throw new Refusal(
      `invalid vdev specification\nuse '-f' to override the following errors:\n${unlessForced}`,
    );
  const size = target.partition === undefined ? target.drive.size_bytes - 10 * MiB : sizeOf(target);
  if (size < least - 16 * MiB) throw new Refusal(`${doing}: device is too small`, handedOn);
}

export function attach(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'fswo:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [poolName = '', device = '', added = ''] = options.operands;
  if (options.operands.length !== 3)
    return failure(
      options.operands.length > 3 ? 'too many arguments' : 'missing <new_device> specification',
      2,
    );
  const pool = openPool(poolName);
  const doing = `cannot attach ${added} to ${device}`;
  const { vdev, parent } = find(pool, device, doing, handedOn);
  // A mirror is widened by naming one of its devices.
  if (vdev.class === 'cache' || vdev.type === 'mirror' || parent?.type === 'raidz')
    throw new Refusal(`${doing}: can only attach to mirrors and top-level disks`, handedOn);
  claim(
    storage,
    added,
    Math.min(...leaves(vdev).map((leaf) => leaf.size ?? 0)),
    options.flags.has('f'),
    doing,
  );
  const group = vdev.type === 'raidz' ? vdev : parent;
  const disk = takeDevice(storage, group?.children.length ?? 1, added, vdev.class);
  if (group !== undefined) group.children.push(disk);
  else {
    pool.vdevs[pool.vdevs.indexOf(vdev)] = {
      id: vdev.id,
      guid: newGuid(),
      type: 'mirror',
      class: vdev.class,
      children: [{ ...vdev, id: 0 }, disk],
    };
  }
  startResilver(pool, now);
  return {};
}

export function detach(storage: StorageSection, args: readonly string[], openPool: OpenPool): ToolResult {
  const [poolName = '', device = ''] = args;
  if (args.length !== 2) return failure('missing <device> specification', 2);
  const pool = openPool(poolName);
  const { vdev, parent } = find(pool, device, `cannot detach ${device}`);
  if (parent === undefined || parent.type === 'raidz')
    throw new Refusal(`cannot detach ${device}: only applicable to mirror and replacing vdevs`);
  const others = parent.children.filter((child) => child !== vdev);
  if (!others.some((child) => stateOf(storage, child) === 'ONLINE'))
    throw new Refusal(`cannot detach ${device}: no valid replicas`);
  dropLabel(storage, vdev);
  parent.children = others;
  const [last] = others;
  if (others.length === 1 && last !== undefined)
    Object.assign(parent, { ...last, id: parent.id, class: parent.class });
  return {};
}

export function replace(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'fswo:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [poolName = '', device = '', replacement = device] = options.operands;
  if (options.operands.length < 2) return failure('missing <device> specification', 2);
  const pool = openPool(poolName);
  const doing = `cannot replace ${device} with ${replacement}`;
  const { vdev, siblings } = find(pool, device, doing, handedOn);
  if (vdev.type !== 'disk') throw new Refusal(`${doing}: device is not a disk`);
  if (vdev.class === 'cache') throw new Refusal(`${doing}: device is in use as a cache`);
  claim(storage, replacement, vdev.size ?? 0, options.flags.has('f'), doing);
  const disk = takeDevice(storage, 1, replacement, vdev.class);
  if (stateOf(storage, vdev) === 'UNAVAIL' && siblings === pool.vdevs)
    throw new Refusal(`${doing}: pool is unavailable`);
  const replacing: Vdev = {
    id: vdev.id,
    guid: newGuid(),
    type: 'replacing',
    class: vdev.class,
    children: [{ ...vdev, id: 0 }, disk],
  };
  siblings[siblings.indexOf(vdev)] = replacing;
  startResilver(pool, now);
  return {};
}

export function remove(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'npsw');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [poolName = '', ...devices] = options.operands;
  if (devices.length === 0) return failure('missing device', 2);
  const pool = openPool(poolName);
  for (const device of devices) {
    const { vdev, siblings } = find(pool, device, `cannot remove ${device}`);
    if (siblings !== pool.vdevs)
      throw new Refusal(`cannot remove ${device}: operation not supported on this type of pool`);
    if (vdev.class === 'normal' || vdev.class === 'special') {
      const normal = pool.vdevs.filter((candidate) => candidate.class === 'normal');
      if (normal.some((candidate) => candidate.type === 'raidz')) {
        throw new Refusal(
          `cannot remove ${device}: invalid config; all top-level vdevs must have the same sector size and not be raidz.`,
        );
      }
      if (
        vdev.class === 'normal' &&
        normal.filter((candidate) => candidate.removing_until === undefined).length === 1
      ) {
        throw new Refusal(`cannot remove ${device}: operation not supported on this type of pool`);
      }
      vdev.removing_until = now + removalMs;
    } else {
      for (const leaf of leaves(vdev)) dropLabel(storage, leaf);
      pool.vdevs.splice(pool.vdevs.indexOf(vdev), 1);
    }
  }
  return {};
}

function openForOffline(openPool: OpenPool, name: string): Pool {
  try {
    return openPool(name);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(`${error.message}\nfailed to open pool "${name}"`) : error;
  }
}

export function offline(storage: StorageSection, args: readonly string[], openPool: OpenPool): ToolResult {
  const options = parseOptions(args, 'ft', ['power']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [poolName, ...devices] = options.operands;
  if (poolName === undefined) return failure('missing pool name', 2);
  if (devices.length === 0) return failure('missing device name', 2);
  const pool = openForOffline(openPool, poolName);
  for (const device of devices) {
    const { vdev } = find(pool, device, `cannot offline ${device}`);
    if (vdev.type !== 'disk')
      throw new Refusal(`cannot offline ${device}: operation not supported on this type of vdev`);
    vdev.offline = true;
    if (rootState(storage, pool) === 'UNAVAIL') {
      delete vdev.offline;
      throw new Refusal(`cannot offline ${device}: no valid replicas`);
    }
  }
  return {};
}

export function online(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'e', ['power']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [poolName, ...devices] = options.operands;
  if (poolName === undefined) return failure('missing pool name', 2);
  if (devices.length === 0) return failure('missing device name', 2);
  const pool = openPool(poolName);
  for (const device of devices) {
    const { vdev } = find(pool, device, `cannot online ${device}`);
    const was = stateOf(storage, vdev);
    delete vdev.offline;
    if (was !== 'ONLINE' && vdev.path !== undefined && findDevice(storage, vdev.path) !== undefined) {
      delete vdev.not_present;
      delete vdev.lost;
      startResilver(pool, now);
    }
    if (options.flags.has('e')) expand(storage, vdev);
    if (stateOf(storage, vdev) !== 'ONLINE') {
      return {
        stdout: `warning: device '${device}' onlined, but remains in faulted state\nuse 'zpool replace' to replace devices that are no longer present\n`,
      };
    }
  }
  return {};
}

export function clear(_storage: StorageSection, args: readonly string[], openPool: OpenPool): ToolResult {
  const [poolName, device] = args;
  if (poolName === undefined) return failure('missing pool name', 2);
  const pool = openPool(poolName);
  if (device !== undefined) find(pool, device, `cannot clear errors for ${device}`);
  return {};
}
