/** `zpool scrub`, `trim` and `wait`. */
import { setTimeout as sleep } from 'node:timers/promises';
import { type ToolCall, type ToolResult, failure } from '../../tools/tool.ts';
import { parseOptions } from '../options.ts';
import type { Pool, StorageSection } from '../section.ts';
import { resilvering, scanning, workMs } from './clock.ts';
import { Refusal } from './spec.ts';
import { poolState } from './status.ts';
import { findVdev, poolLeaves } from './vdevs.ts';

type OpenPool = (name: string) => Pool;

const suspended = 'pool I/O is currently suspended';

export function scrub(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'spweC');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  if (options.flags.has('s') && options.flags.has('p'))
    return failure('invalid option combination: -s and -p are mutually exclusive', 2);
  if (options.operands.length === 0) return failure('missing pool name argument', 2);
  for (const name of options.operands) {
    const pool = openPool(name);
    const { scan } = pool;
    if (options.flags.has('s')) {
      if (scan?.function !== 'SCRUB' || !scanning(pool, now))
        throw new Refusal(`cannot cancel scrubbing ${name}: there is no active scrub`);
      scan.canceled = now;
      continue;
    }
    if (options.flags.has('p'))
      throw new Refusal(`cannot pause scrubbing ${name}: operation not supported on this type of pool`);
    if (poolState(storage, pool) === 'SUSPENDED') throw new Refusal(`cannot scrub ${name}: ${suspended}`);
    if (resilvering(pool, now)) throw new Refusal(`cannot scrub ${name}: currently resilvering`);
    if (scanning(pool, now))
      throw new Refusal(`cannot scrub ${name}: currently scrubbing; use 'zpool scrub -s' to cancel scrub`);
    pool.scan = { function: 'SCRUB', started: now, duration: workMs(pool), errors: 0 };
  }
  return {};
}

export function trim(
  storage: StorageSection,
  args: readonly string[],
  openPool: OpenPool,
  now: number,
): ToolResult {
  const options = parseOptions(args, 'dcswr:', ['rate=', 'secure', 'cancel', 'suspend', 'wait']);
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name, ...devices] = options.operands;
  if (name === undefined) return failure('missing pool name argument', 2);
  const pool = openForTrim(openPool, name);
  if (poolState(storage, pool) === 'SUSPENDED') throw new Refusal(`cannot trim '${name}': ${suspended}`);
  const chosen =
    devices.length === 0 ? poolLeaves(pool) : devices.map((device) => findVdev(pool, device)?.vdev);
  for (const [index, leaf] of chosen.entries()) {
    if (leaf === undefined)
      throw new Refusal(`cannot trim '${devices[index] ?? ''}': no such device in pool`);
    const running =
      leaf.trim !== undefined &&
      leaf.trim.canceled === undefined &&
      now < leaf.trim.started + leaf.trim.duration;
    if (options.flags.has('c')) {
      if (leaf.trim === undefined || !running)
        throw new Refusal(`cannot trim '${name}': there is no active trim`);
      leaf.trim.canceled = now;
      continue;
    }
    if (running) throw new Refusal(`cannot trim '${name}': currently trimming`);
    leaf.trim = { started: now, duration: workMs(pool) };
  }
  return {};
}

function openForTrim(openPool: OpenPool, name: string): Pool {
  try {
    return openPool(name);
  } catch (error) {
    throw error instanceof Refusal ? new Refusal(error.message, 255) : error;
  }
}

/** Waits until an activity of the pool is over. */
export async function wait({ args, machine, signal }: ToolCall): Promise<ToolResult> {
  const options = parseOptions(args.slice(1), 'HpTt:');
  if (options.unknown !== undefined) return failure(`invalid option '${options.unknown}'`, 2);
  const [name] = options.operands;
  if (name === undefined) return failure('missing pool name argument', 2);
  for (;;) {
    const now = Date.now();
    const pool = machine
      .read()
      .storage.pools.find((candidate) => candidate.imported && candidate.name === name);
    if (pool === undefined) return failure(`cannot open '${name}': no such pool`);
    const removing = pool.vdevs.some(
      (vdev) => vdev.removing_until !== undefined && vdev.removing_until > now,
    );
    if (!removing && !scanning(pool, now)) return {};
    if (signal.aborted) return failure('interrupted');
    await sleep(50);
  }
}
