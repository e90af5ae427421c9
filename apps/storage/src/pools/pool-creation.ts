/**
 * Creates encrypted pools.
 *
 * Invariants: the key is on disk before ZFS has it; what is being created is recorded before the key is written, so
 * that after a crash a key without a pool is recognised; a creation that fails leaves no key behind.
 */
import type { SystemStoragePool } from '@incusos/contracts/storage';
import { HOST, type Host } from '@incusos/host';
import { DomainError } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory, type Snapshot } from '../inventory/inventory.ts';
import { newKey, poolKeyPath, writeKey } from '../keys.ts';
import { Operations } from '../operations.ts';
import { DeviceResolver } from './device-resolver.ts';
import { type CreationPlan, createArgv, isPoolType } from './pool-layout.ts';
import { ashiftOf, creationProblem, devicesOf, localProblem } from './pool-rules.ts';
import { localDataPath } from './pool-state.ts';
import { runWithNewDrives } from './settled-devices.ts';
import { aboutSizes, objections, onlyAboutShape, zfsFailure } from './zfs-error.ts';

/** A pool that can be created: checked, and its devices found. */
export interface PlannedCreation {
  readonly plan: CreationPlan;
  readonly allowMixedSizes: boolean;
}

/** Labels of drives are written one after another. */
const createTimeoutMs = 10 * 60_000;

@Injectable()
export class PoolCreation {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Operations) private readonly operations: Operations,
  ) {}

  /**
   * Checks everything that can be checked without changing anything.
   * @param path where the pool is in the request.
   * @throws DomainError INVALID_REQUEST.
   */
  async plan(pool: SystemStoragePool, snapshot: Snapshot, path: string): Promise<PlannedCreation> {
    const keyFile = poolKeyPath(pool.name);
    const resolver = new DeviceResolver(snapshot, path);
    const problem = creationProblem(pool, {
      exists: snapshot.survey.status(pool.name) !== undefined,
      keyExists: pool.name !== '' && !pool.name.includes('/') && (await this.host.files.exists(keyFile)),
    });
    if (problem !== undefined) throw resolver.refuse(problem.field, problem.text);
    const { type, special } = pool;
    if (!isPoolType(type)) throw resolver.refuse('type', `unsupported pool type ${type}`);
    // By any of its names, so that the rule about the system disk holds for what is really meant.
    const found = new Map(
      devicesOf(pool).map(({ field, device }) => [device, resolver.resolve(device, field)]),
    );
    const named = (devices: readonly string[]): string[] =>
      devices.map((device) => found.get(device) ?? device);
    const layout = {
      type,
      devices: named(pool.devices),
      cache: named(pool.cache),
      log: named(pool.log),
      special:
        special !== undefined && isPoolType(special.type)
          ? { type: special.type, devices: named(special.devices) }
          : undefined,
    };
    if (pool.name === 'local') {
      const local = localProblem(layout, resolver.systemPartition(), (device) =>
        snapshot.links.same(device, localDataPath),
      );
      if (local !== undefined) throw resolver.refuse(local.field, local.text);
    }
    resolver.requireFree(
      {
        ...pool,
        ...layout,
        special: special === undefined ? undefined : { ...special, devices: layout.special?.devices ?? [] },
      },
      new Set(pool.name === 'local' ? [localDataPath] : []),
    );
    return {
      plan: {
        ...layout,
        name: pool.name,
        ashift: ashiftOf(pool.alignment),
        keyFile,
        smallBlocksKiB: special?.special_small_blocks_size_in_kb ?? 0,
      },
      allowMixedSizes: pool.allow_mixed_dev_sizes === true,
    };
  }

  async create({ plan, allowMixedSizes }: PlannedCreation): Promise<void> {
    const devices = [...plan.devices, ...plan.cache, ...plan.log, ...(plan.special?.devices ?? [])];
    await this.operations.addCreation({ pool: plan.name, devices });
    try {
      await writeKey(this.host.files, plan.keyFile, newKey());
      await this.run(plan, allowMixedSizes);
    } catch (error) {
      await this.host.files.remove(plan.keyFile);
      await this.operations.endCreation(plan.name);
      throw error;
    } finally {
      this.inventory.invalidate();
    }
    await this.operations.endCreation(plan.name);
  }

  private async run(plan: CreationPlan, allowMixedSizes: boolean): Promise<void> {
    const timeoutMs = createTimeoutMs;
    try {
      await runWithNewDrives(this.host, createArgv(plan, false), timeoutMs);
    } catch (error) {
      const objected = objections(error);
      const doing = `unable to create zpool '${plan.name}'`;
      if (!onlyAboutShape(objected)) throw zfsFailure(error, doing);
      if (aboutSizes(objected) && !allowMixedSizes) {
        throw new DomainError(
          'INVALID_REQUEST',
          'refusing to create new zpool with devices of different sizes unless AllowMixedDevSizes is true',
        );
      }
      await runWithNewDrives(this.host, createArgv(plan, true), timeoutMs).catch((second: unknown) => {
        throw zfsFailure(second, doing);
      });
    }
  }
}
