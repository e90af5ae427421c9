/**
 * Changes pools as planned by `update-plan.ts`. A change that fails half way says what was done and what was not; a
 * drive that leaves a pool is wiped once the pool has let go of it, also when the service stopped meanwhile.
 */
import type { SystemStoragePool } from '@incusos/contracts/storage';
import { HOST, type Host } from '@incusos/host';
import { DomainError, reasonOf } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory, type Snapshot } from '../inventory/inventory.ts';
import { Operations } from '../operations.ts';
import { DeviceResolver } from './device-resolver.ts';
import { type LocalPartitions, planLocalPartitions, prepareLocalPartitions } from './local-partitions.ts';
import { isPoolType } from './pool-layout.ts';
import { localProblem } from './pool-rules.ts';
import { localDataPath, poolType } from './pool-state.ts';
import { memberName } from './pool-survey.ts';
import { runWithNewDrives } from './settled-devices.ts';
import {
  type CurrentList,
  type CurrentMember,
  type CurrentPool,
  type PoolStep,
  type RequestedPool,
  describeStep,
  planUpdate,
  stepArgv,
} from './update-plan.ts';
import { aboutSizes, objections, onlyAboutShape, zfsFailure } from './zfs-error.ts';
import { type MemberRole, type PoolStatus } from './zpool-status.ts';

export interface PlannedUpdate {
  readonly pool: string;
  readonly steps: readonly PoolStep[];
  readonly partitions: LocalPartitions;
  readonly allowMixedSizes: boolean;
}

const stepTimeoutMs = 10 * 60_000;

@Injectable()
export class PoolUpdates {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Operations) private readonly operations: Operations,
  ) {}

  /**
   * The steps from the pool as it is to the pool as it is asked for. Changes nothing.
   * @throws DomainError INVALID_REQUEST.
   */
  plan(pool: SystemStoragePool, status: PoolStatus, snapshot: Snapshot, path: string): PlannedUpdate {
    const resolver = new DeviceResolver(snapshot, path);
    const current = currentPool(status, snapshot, resolver);
    const partitions: LocalPartitions = { disks: new Map() };
    const requested = this.resolveRequest(pool, current, snapshot, resolver, partitions);
    const plan = planUpdate(current, requested);
    if ('problem' in plan) throw resolver.refuse(plan.problem.field, plan.problem.text);
    const own = new Set(['', ...members(current).map(({ device }) => device), ...partitions.disks.keys()]);
    resolver.requireFree(
      {
        name: pool.name,
        devices: [...requested.devices],
        cache: [...requested.cache],
        log: [...requested.log],
        special: specialOf(requested),
      },
      own,
    );
    resolver.requireFree(
      { name: pool.name, devices: [...partitions.disks.values()], cache: [], log: [], special: undefined },
      new Set(),
    );
    return {
      pool: pool.name,
      steps: plan.steps,
      partitions,
      allowMixedSizes: pool.allow_mixed_dev_sizes === true,
    };
  }

  private resolveRequest(
    pool: SystemStoragePool,
    current: CurrentPool,
    snapshot: Snapshot,
    resolver: DeviceResolver,
    partitions: LocalPartitions,
  ): RequestedPool {
    const known = members(current);
    const resolve = (list: readonly string[], field: string): string[] =>
      list.map((device, index) => {
        if (device === '') return device;
        const member = known.find(
          (candidate) => candidate.device === device || snapshot.links.same(candidate.device, device),
        );
        return member?.device ?? resolver.resolve(device, `${field}[${index}]`);
      });
    const requested = {
      type: pool.type,
      devices: resolve(pool.devices, 'devices'),
      cache: resolve(pool.cache, 'cache'),
      log: resolve(pool.log, 'log'),
      special: pool.special === undefined ? undefined : resolve(pool.special.devices, 'special.devices'),
    };
    if (pool.name !== 'local') return requested;
    const problem = localProblem(
      {
        ...requested,
        type: requested.type === '' ? (current.devices?.type ?? '') : requested.type,
        special:
          requested.special === undefined ? undefined : { type: 'zfs-raid0', devices: requested.special },
      },
      resolver.systemPartition(),
      (device) => snapshot.links.same(device, localDataPath),
    );
    if (problem !== undefined) throw resolver.refuse(problem.field, problem.text);
    return {
      ...requested,
      devices: planLocalPartitions(requested.devices, known, snapshot.links, partitions),
    };
  }

  /** Takes the planned steps, one after another. */
  async apply({ pool, steps, partitions, allowMixedSizes }: PlannedUpdate): Promise<void> {
    const done: PoolStep[] = [];
    try {
      for (const step of steps) {
        await prepareLocalPartitions(this.host, step, partitions);
        await this.take(pool, step, allowMixedSizes);
        done.push(step);
      }
    } catch (error) {
      throw incomplete(pool, steps, done, error);
    } finally {
      if (steps.length > 0) this.inventory.invalidate();
    }
  }

  private async take(pool: string, step: PoolStep, allowMixedSizes: boolean): Promise<void> {
    // Recorded first: whatever happens next, a drive that was to be wiped and is free will be.
    const leaving =
      step.kind === 'remove' || (step.kind === 'replace' && step.wipe) ? step.member.device : undefined;
    if (leaving !== undefined) await this.operations.addWipe({ pool, device: leaving });
    try {
      await this.run(pool, step, allowMixedSizes);
    } catch (error) {
      if (leaving !== undefined) await this.operations.endWipe(leaving);
      throw zfsFailure(error, `unable to ${describeStep(step)} in zpool '${pool}'`);
    }
  }

  private async run(pool: string, step: PoolStep, allowMixedSizes: boolean): Promise<void> {
    const timeoutMs = stepTimeoutMs;
    try {
      await runWithNewDrives(this.host, stepArgv(pool, step), timeoutMs);
    } catch (error) {
      const objected = objections(error);
      if (!onlyAboutShape(objected) || (aboutSizes(objected) && !allowMixedSizes)) throw error;
      await runWithNewDrives(this.host, stepArgv(pool, step, true), timeoutMs);
    }
  }
}

function specialOf({ special }: RequestedPool): SystemStoragePool['special'] {
  return special === undefined
    ? undefined
    : { type: '', special_small_blocks_size_in_kb: 0, devices: [...special] };
}

function members(pool: CurrentPool): CurrentMember[] {
  return [pool.devices, pool.cache, pool.log, pool.special].flatMap((list) => list?.members ?? []);
}

/** The pool as the planner wants it: every list in the order in which the API shows it. */
function currentPool(status: PoolStatus, snapshot: Snapshot, resolver: DeviceResolver): CurrentPool {
  const list = (role: MemberRole): CurrentList | undefined => {
    const found = status.members.filter((member) => member.role === role && !member.leaving);
    if (found.length === 0) return undefined;
    const type = typeOf(status, role, resolver);
    const all = found.map((member): CurrentMember => ({
      device: memberName(snapshot.links, status.name, member.device),
      handle: member.handle,
      online: member.state === 'ONLINE',
      offline: member.state === 'OFFLINE',
      group: member.group,
    }));
    const sorted = all.toSorted(
      (a, b) => Number(b.online) - Number(a.online) || (a.device < b.device ? -1 : 1),
    );
    return { type, members: sorted };
  };
  return {
    name: status.name,
    devices: list('devices'),
    cache: list('cache'),
    log: list('log'),
    special: list('special'),
  };
}

function typeOf(status: PoolStatus, role: MemberRole, resolver: DeviceResolver): CurrentList['type'] {
  if (role === 'cache') return 'zfs-raid0';
  // Several log mirrors are no layout of ours, but nothing of a log depends on it.
  if (role === 'log')
    return status.groups.some((group) => group.role === 'log' && group.kind === 'mirror')
      ? 'zfs-raid1'
      : 'zfs-raid0';
  try {
    const type = poolType(status.name, status.groups, role);
    if (isPoolType(type)) return type;
    throw new Error(`unsupported pool type ${type}`);
  } catch (error) {
    throw resolver.refuse('type', reasonOf(error));
  }
}

function incomplete(
  pool: string,
  steps: readonly PoolStep[],
  done: readonly PoolStep[],
  error: unknown,
): DomainError {
  const failure =
    error instanceof DomainError ? error : zfsFailure(error, `unable to update zpool '${pool}'`);
  if (done.length === 0 && steps.length === 1) return failure;
  const list = (some: readonly PoolStep[]): string =>
    some.length === 0 ? 'nothing' : some.map(describeStep).join(', ');
  const left = steps.slice(done.length);
  const reason = done.length === 0 ? failure.reason : 'OPERATION_FAILED';
  return new DomainError(reason, `${failure.message}; done: ${list(done)}; not done: ${list(left)}`, {
    cause: error,
  });
}
