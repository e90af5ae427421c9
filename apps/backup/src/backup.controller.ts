import {
  BackupServiceService,
  type CreateBackupRequest,
  type CreateBackupResponse,
  type FactoryResetResponse,
  type RestoreRequest,
  type RestoreResponse,
} from '@incusos/contracts/backup';
import { type CallContext, DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { readArchive } from './archive/read-archive.ts';
import { writeArchive } from './archive/write-archive.ts';
import { CreateBackupService } from './create-backup.service.ts';
import { RestoreService } from './restore/restore.service.ts';

@GrpcController(BackupServiceService)
export class BackupController implements ServiceHandlers<typeof BackupServiceService> {
  constructor(
    @Inject(CreateBackupService) private readonly backups: CreateBackupService,
    @Inject(RestoreService) private readonly restores: RestoreService,
  ) {}

  async *createBackup(
    _request: CreateBackupRequest,
    call: CallContext,
  ): AsyncGenerator<CreateBackupResponse> {
    if (this.restores.committing) throw new DomainError('CONFLICT', 'a restore is under way');
    const backup = await this.backups.gather(call);
    for await (const chunk of writeArchive(backup)) yield { chunk };
  }

  async restore(messages: AsyncIterable<RestoreRequest>, call: CallContext): Promise<RestoreResponse> {
    const skip: string[] = [];
    const chunks = async function* (): AsyncGenerator<Buffer> {
      for await (const message of messages) {
        skip.push(...message.skip);
        if (message.chunk.length > 0) yield message.chunk;
      }
    };
    const backup = await readArchive(chunks()).catch((error: unknown) => {
      // A caller that went away in the middle of its upload is no fault of the archive, nor of ours.
      call.signal.throwIfAborted();
      throw error;
    });
    await this.restores.restore(backup, skip, call);
    return {};
  }

  factoryReset(): FactoryResetResponse {
    throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
  }
}
