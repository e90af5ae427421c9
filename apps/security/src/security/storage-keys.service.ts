/** The keys of pools and data drives, which the storage service owns. */
import { StorageServiceService } from '@incusos/contracts/storage';
import { connectService, DomainError, LOGGER, type Logger, type ServiceConnection } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';

/** A reader of the whole security state shouldn't wait long for a part of it. */
const patienceMs = 2_000;

export interface StorageKeys {
  /** Pool name → base64. */
  readonly pools: Record<string, string>;
  /** Base name of the drive's by-id path → base64. */
  readonly drives: Record<string, string>;
}

@Injectable()
export class StorageKeysService implements OnModuleDestroy {
  private connection: ServiceConnection | undefined;
  private reachable = true;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  onModuleDestroy(): void {
    this.connection?.close();
  }

  /** None while the storage service can't be asked; the log says when that begins. */
  async list(): Promise<StorageKeys> {
    this.connection ??= connectService('storage');
    try {
      const storage = this.connection.use(StorageServiceService);
      const { pools, drives } = await storage.listRecoveryKeys({}, { timeoutMs: patienceMs });
      this.reachable = true;
      return {
        pools,
        drives: Object.fromEntries(
          Object.entries(drives).map(([id, key]) => [id.slice(id.lastIndexOf('/') + 1), key]),
        ),
      };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (this.reachable) {
        this.logger.warn('the keys of pools and drives are left out of the security state', {
          error: error.message,
        });
      }
      this.reachable = false;
      return { pools: {}, drives: {} };
    }
  }
}
