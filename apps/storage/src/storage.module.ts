import { HOST, type Host, openHost, type Watcher } from '@incusos/host';
import { provideJobs } from '@incusos/jobs';
import { DomainError, ExclusiveRunner, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { provideStateOwner } from '@incusos/state-owner';
import {
  type DynamicModule,
  Inject,
  Module,
  type OnApplicationBootstrap,
  type OnModuleDestroy,
  type Provider,
} from '@nestjs/common';
import { AddonsController } from './addons/addons.controller.ts';
import { ConfigService } from './config/config.service.ts';
import { StorageImport } from './config/storage-import.ts';
import { openStorageState, STORAGE_STATE, type StorageState } from './config/storage-state.ts';
import { DriveEncryption } from './drives/drive-encryption.ts';
import { Inventory } from './inventory/inventory.ts';
import { driveKeyFile, keyBytes, poolKeyFile } from './keys.ts';
import { Operations } from './operations.ts';
import { Departures } from './pools/departures.ts';
import { PoolCreation } from './pools/pool-creation.ts';
import { PoolImport } from './pools/pool-import.ts';
import { PoolRemoval } from './pools/pool-removal.ts';
import { PoolStartup } from './pools/pool-startup.ts';
import { RestoredKeys } from './pools/restored-keys.ts';
import { PoolUpdates } from './pools/pool-updates.ts';
import { RecoveryKeys } from './recovery-keys.ts';
import { RootPartitionService } from './root-partition/root-partition.service.ts';
import { ScrubsService } from './scrubs/scrubs.service.ts';
import { UpkeepSchedules } from './scrubs/upkeep-schedules.ts';
import { StorageController } from './storage.controller.ts';
import { STORAGE_RUNNER } from './storage-runner.ts';
import { VolumesService } from './volumes/volumes.service.ts';
import { WipeService } from './wipe/wipe.service.ts';
import { Wiper } from './wipe/wiper.ts';

function checkKey(content: Buffer): void {
  if (content.length !== keyBytes)
    throw new DomainError(
      'INVALID_REQUEST',
      `a key in the backup has ${content.length} bytes instead of ${keyBytes}`,
    );
}

/** Pools of many drives take long to import; the service doesn't keep everyone waiting for it. */
const startupPatienceMs = 5_000;

const providers: Provider[] = [
  { provide: STORAGE_STATE, inject: [HOST], useFactory: openStorageState },
  { provide: STORAGE_RUNNER, useFactory: () => new ExclusiveRunner() },
  provideJobs('storage'),
  Inventory,
  Operations,
  Wiper,
  WipeService,
  DriveEncryption,
  PoolCreation,
  PoolUpdates,
  PoolRemoval,
  PoolImport,
  PoolStartup,
  RestoredKeys,
  Departures,
  VolumesService,
  ScrubsService,
  UpkeepSchedules,
  RootPartitionService,
  RecoveryKeys,
  ConfigService,
  StorageImport,
  StorageController,
  AddonsController,
  ...provideStateOwner({
    service: 'storage',
    store: STORAGE_STATE,
    hooks: StorageImport,
    secrets: [
      { name: 'zpool.local.key', keptBy: 'local-data-encryption-key', check: checkKey },
      { name: poolKeyFile, check: checkKey },
      { name: driveKeyFile, check: checkKey },
    ],
  }),
];

@Module({})
export class StorageModule implements OnApplicationBootstrap, OnModuleDestroy {
  private zoneWatcher: Watcher | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(STORAGE_STATE) private readonly state: StateStore<StorageState>,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(PoolStartup) private readonly startup: PoolStartup,
    @Inject(Departures) private readonly departures: Departures,
    @Inject(UpkeepSchedules) private readonly schedules: UpkeepSchedules,
    @Inject(RootPartitionService) private readonly rootPartition: RootPartitionService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param open the machine; the one this process runs on unless given. */
  static on(open: () => Promise<Host> = openHost): DynamicModule {
    return { module: StorageModule, providers: [{ provide: HOST, useFactory: open }, ...providers] };
  }

  onModuleDestroy(): void {
    this.zoneWatcher?.close();
  }

  /** Opens what there is; a long import goes on while the service answers already. */
  async onApplicationBootstrap(): Promise<void> {
    this.inventory.watch();
    this.departures.follow();
    const logged = (what: string) => (error: unknown) => this.logger.warn(what, { error: reasonOf(error) });
    const opened = this.startup.run().catch(logged('pools could not be opened'));
    const patience = new Promise<void>((resolve) => {
      setTimeout(resolve, startupPatienceMs).unref();
    });
    await Promise.race([opened, patience]);
    await this.schedules.follow(this.state.current);
    this.followTimeZone();
    void this.rootPartition.check().catch(logged('the root partition could not be checked'));
    await this.inventory.read().catch(logged('the storage could not be listed'));
  }

  private followTimeZone(): void {
    try {
      this.zoneWatcher = this.host.files.watch('/etc', () => {
        void this.schedules.zoneMayHaveChanged();
      });
    } catch (error) {
      this.logger.warn('changes of the time zone are not noticed', {
        error: reasonOf(error),
      });
    }
  }
}
