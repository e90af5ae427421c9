/** Lets a restored, reset or recovered configuration take effect. */
import type { StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import type { StorageState } from './storage-state.ts';
import { Inventory } from '../inventory/inventory.ts';
import { PoolStartup } from '../pools/pool-startup.ts';
import { RestoredKeys } from '../pools/restored-keys.ts';
import { UpkeepSchedules } from '../scrubs/upkeep-schedules.ts';

@Injectable()
export class StorageImport implements StateOwnerHooks<StorageState> {
  constructor(
    @Inject(UpkeepSchedules) private readonly schedules: UpkeepSchedules,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(PoolStartup) private readonly startup: PoolStartup,
    @Inject(RestoredKeys) private readonly keys: RestoredKeys,
  ) {}

  async apply(_previous: StorageState, next: StorageState): Promise<void> {
    await this.schedules.follow(next);
    await this.keys.takeEffect();
    // Keys that came along may open pools that were waiting for them.
    this.inventory.invalidate();
    await this.startup.run();
  }
}
