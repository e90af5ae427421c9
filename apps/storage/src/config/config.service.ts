/**
 * Applies a configuration: schedules, and pools to be created or changed. Everything that can be checked is checked
 * for all of it before the first change is made.
 */
import type { SystemStorageConfig, SystemStoragePool } from '@incusos/contracts/storage';
import { DomainError } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory, type Snapshot } from '../inventory/inventory.ts';
import { PoolCreation } from '../pools/pool-creation.ts';
import { PoolUpdates } from '../pools/pool-updates.ts';
import { UpkeepSchedules } from '../scrubs/upkeep-schedules.ts';
import { requireCron } from './schedules.ts';
import { STORAGE_STATE, type StorageState } from './storage-state.ts';

interface PlannedPool {
  readonly name: string;
  readonly changes: boolean;
  readonly apply: () => Promise<void>;
}

@Injectable()
export class ConfigService {
  constructor(
    @Inject(STORAGE_STATE) private readonly state: StateStore<StorageState>,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(PoolCreation) private readonly creation: PoolCreation,
    @Inject(PoolUpdates) private readonly updates: PoolUpdates,
    @Inject(UpkeepSchedules) private readonly schedules: UpkeepSchedules,
  ) {}

  get current(): StorageState {
    return this.state.current;
  }

  /** @throws DomainError; INVALID_REQUEST when nothing was changed because of what was asked for. */
  async apply(config: SystemStorageConfig): Promise<void> {
    const next = await this.nextState(config);
    const plans = await this.plan(config.pools);
    const { scrub_schedule, trim_schedule } = this.state.current;
    if (next.scrub_schedule !== scrub_schedule || next.trim_schedule !== trim_schedule) {
      await commitState(this.state, 'storage schedules', () => next);
      await this.schedules.follow(next);
    }
    await this.applyPools(plans);
  }

  private async nextState(config: SystemStorageConfig): Promise<StorageState> {
    const scrub_schedule = config.scrub_schedule ?? '';
    await requireCron(scrub_schedule, 'scrub');
    // Clients of August don't know it; an empty one switches trims off.
    const trim_schedule = config.trim_schedule ?? this.state.current.trim_schedule;
    if (trim_schedule !== '') await requireCron(trim_schedule, 'trim');
    return { scrub_schedule, trim_schedule };
  }

  private async plan(pools: readonly SystemStoragePool[]): Promise<PlannedPool[]> {
    if (pools.length === 0) return [];
    const snapshot = await this.inventory.refresh();
    const taken = new Map<string, string>();
    const plans: PlannedPool[] = [];
    for (const [index, pool] of pools.entries()) {
      const path = `config.pools[${index}]`;
      if (plans.some(({ name }) => name === pool.name)) {
        throw new DomainError('INVALID_REQUEST', `zpool '${pool.name}' is given twice`, {
          fields: [{ field: `${path}.name`, reason: 'is given twice' }],
        });
      }
      plans.push(await this.planPool(pool, snapshot, path, taken));
    }
    return plans;
  }

  private async planPool(
    pool: SystemStoragePool,
    snapshot: Snapshot,
    path: string,
    taken: Map<string, string>,
  ): Promise<PlannedPool> {
    const status = snapshot.survey.status(pool.name);
    if (status === undefined) {
      const planned = await this.creation.plan(pool, snapshot, path);
      const { plan } = planned;
      this.claim(
        [...plan.devices, ...plan.cache, ...plan.log, ...(plan.special?.devices ?? [])],
        pool.name,
        path,
        taken,
      );
      return { name: pool.name, changes: true, apply: () => this.creation.create(planned) };
    }
    const planned = this.updates.plan(pool, status, snapshot, path);
    const added = planned.steps.flatMap((step) =>
      step.kind === 'add'
        ? step.words
        : step.kind === 'attach' || step.kind === 'replace'
          ? [step.device]
          : [],
    );
    this.claim(
      added.filter((word) => word.startsWith('/')),
      pool.name,
      path,
      taken,
    );
    return { name: pool.name, changes: planned.steps.length > 0, apply: () => this.updates.apply(planned) };
  }

  /** Two pools of one request can't have the same free drive. */
  private claim(devices: readonly string[], pool: string, path: string, taken: Map<string, string>): void {
    for (const device of devices) {
      const other = taken.get(device);
      if (other !== undefined) {
        throw new DomainError(
          'INVALID_REQUEST',
          `device '${device}' is given for zpool '${other}' and for zpool '${pool}'`,
          {
            fields: [{ field: `${path}.devices`, reason: `'${device}' is given for another pool as well` }],
          },
        );
      }
      taken.set(device, pool);
    }
  }

  private async applyPools(plans: readonly PlannedPool[]): Promise<void> {
    const changing = plans.filter(({ changes }) => changes);
    for (const [index, plan] of changing.entries()) {
      try {
        await plan.apply();
      } catch (error) {
        if (!(error instanceof DomainError) || changing.length === 1) throw error;
        const names = (some: readonly PlannedPool[]): string =>
          some.length === 0 ? 'none' : some.map(({ name }) => name).join(', ');
        const text = `${error.message}; pools changed before: ${names(changing.slice(0, index))}; not reached: ${names(changing.slice(index + 1))}`;
        throw new DomainError(index === 0 ? error.reason : 'OPERATION_FAILED', text, {
          cause: error,
          fields: error.fields,
        });
      }
    }
  }
}
