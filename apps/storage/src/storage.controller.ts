/** The storage service over gRPC. Changes take turns; reads never wait for one. */
import type {
  CreateVolumeRequest,
  DeletePoolRequest,
  DeleteVolumeRequest,
  EncryptDriveRequest,
  GetStorageResponse,
  ImportEncryptedDriveRequest,
  ImportPoolRequest,
  ListRecoveryKeysResponse,
  ScrubPoolRequest,
  SetConfigRequest,
  TrimPoolRequest,
  WipeDriveRequest,
} from '@incusos/contracts/storage';
import { StorageServiceService } from '@incusos/contracts/storage';
import { HOST, type Host, ProgramError } from '@incusos/host';
import {
  type CallContext,
  DomainError,
  type ExclusiveRunner,
  GrpcController,
  type ServiceHandlers,
} from '@incusos/service';
import { stateFailure } from '@incusos/state-owner';
import { Inject } from '@nestjs/common';
import { ConfigService } from './config/config.service.ts';
import { DriveEncryption } from './drives/drive-encryption.ts';
import { rescanScsiHosts } from './drives/scsi-hosts.ts';
import { Inventory } from './inventory/inventory.ts';
import { PoolImport } from './pools/pool-import.ts';
import { PoolRemoval } from './pools/pool-removal.ts';
import { saidBy } from './pools/zfs-error.ts';
import { RecoveryKeys } from './recovery-keys.ts';
import { RootPartitionService } from './root-partition/root-partition.service.ts';
import { ScrubsService } from './scrubs/scrubs.service.ts';
import { STORAGE_RUNNER } from './storage-runner.ts';
import { VolumesService } from './volumes/volumes.service.ts';
import { WipeService } from './wipe/wipe.service.ts';

type Empty = Record<string, never>;

@GrpcController(StorageServiceService)
export class StorageController implements ServiceHandlers<typeof StorageServiceService> {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(STORAGE_RUNNER) private readonly runner: ExclusiveRunner,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(ConfigService) private readonly config: ConfigService,
    @Inject(PoolRemoval) private readonly removal: PoolRemoval,
    @Inject(PoolImport) private readonly imports: PoolImport,
    @Inject(VolumesService) private readonly volumes: VolumesService,
    @Inject(ScrubsService) private readonly scrubs: ScrubsService,
    @Inject(DriveEncryption) private readonly encryption: DriveEncryption,
    @Inject(WipeService) private readonly wipes: WipeService,
    @Inject(RootPartitionService) private readonly rootPartition: RootPartitionService,
    @Inject(RecoveryKeys) private readonly recoveryKeys: RecoveryKeys,
  ) {}

  async getStorage(): Promise<GetStorageResponse> {
    const [{ drives, pools }, root_partition] = await Promise.all([
      this.inventory.read().catch((error: unknown) => {
        throw toolFailure(error);
      }),
      this.rootPartition.usage(),
    ]);
    return {
      storage: {
        config: { ...this.config.current, pools: [...pools] },
        state: { drives: [...drives], pools: [...pools], root_partition },
      },
    };
  }

  setConfig({ config }: SetConfigRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.config.apply(config ?? { pools: [] }), signal);
  }

  deletePool({ name }: DeletePoolRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.removal.delete(name), signal);
  }

  wipeDrive(request: WipeDriveRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.wipes.wipe(request), signal);
  }

  encryptDrive(request: EncryptDriveRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.encryption.encrypt(request), signal);
  }

  importEncryptedDrive(request: ImportEncryptedDriveRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.encryption.import(request), signal);
  }

  importPool(request: ImportPoolRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.imports.import(request), signal);
  }

  createVolume(request: CreateVolumeRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.volumes.create(request), signal);
  }

  deleteVolume(request: DeleteVolumeRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.volumes.delete(request), signal);
  }

  scrubPool({ name }: ScrubPoolRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.scrubs.start('scrub', name), signal);
  }

  trimPool({ name }: TrimPoolRequest, { signal }: CallContext): Promise<Empty> {
    return this.change(() => this.scrubs.start('trim', name), signal);
  }

  async rescanScsi(): Promise<Empty> {
    await rescanScsiHosts(this.host);
    this.inventory.invalidate();
    return {};
  }

  async cleanupRoot(): Promise<Empty> {
    await this.rootPartition.cleanUp();
    return {};
  }

  listRecoveryKeys(): Promise<ListRecoveryKeysResponse> {
    return this.recoveryKeys.list();
  }

  /** A caller who gives up while waiting is forgotten; once begun, a change is carried to its end. */
  private async change(work: () => Promise<void>, signal: AbortSignal): Promise<Empty> {
    await this.runner.run(work, signal).catch((error: unknown) => {
      throw stateFailure(toolFailure(error));
    });
    return {};
  }
}

/** A program that failed where nothing better was known to say. */
function toolFailure(error: unknown): unknown {
  if (!(error instanceof ProgramError)) return error;
  const said = error.stderr === '' ? error.message : `${error.program}: ${saidBy(error)}`;
  return new DomainError('OPERATION_FAILED', `the storage could not be asked or changed: ${said}`, {
    cause: error,
  });
}
