import { HOST, type Host, openHost } from '@incusos/host';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Module } from '@nestjs/common';
import { BackupController } from './backup.controller.ts';
import { CreateBackupService } from './create-backup.service.ts';
import { StateOwners } from './owners/state-owners.ts';
import { Restart } from './restore/restart.ts';
import { openRestoreJournal, RESTORE_JOURNAL } from './restore/restore-journal.ts';
import { RestoreService } from './restore/restore.service.ts';

/** Backup, restore and reset across every service. */
@Module({})
export class BackupModule {
  /** @param open the machine; the one this process runs on unless given. */
  static on(open: () => Promise<Host> = openHost): DynamicModule {
    return {
      module: BackupModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: RESTORE_JOURNAL, inject: [HOST], useFactory: openRestoreJournal },
        StateOwners,
        CreateBackupService,
        Restart,
        RestoreService,
        BackupController,
        ...provideStateOwner({ service: 'backup', store: RESTORE_JOURNAL, hooks: RestoreService }),
      ],
    };
  }
}
