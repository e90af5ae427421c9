import { HOST, type Host, openHost } from '@incusos/host';
import { openState } from '@incusos/state';
import { provideStateOwner } from '@incusos/state-owner';
import { Module } from '@nestjs/common';
import { BackupController } from './backup.controller.ts';
import { CreateBackupService } from './create-backup.service.ts';
import { StateOwners } from './owners/state-owners.ts';
import { Restart } from './restore/restart.ts';
import { RESTORE_JOURNAL, restoreJournal } from './restore/restore-journal.ts';
import { RestoreService } from './restore/restore.service.ts';

@Module({
  providers: [
    { provide: HOST, useFactory: openHost },
    {
      provide: RESTORE_JOURNAL,
      inject: [HOST],
      useFactory: async (host: Host) => openState(host, restoreJournal),
    },
    StateOwners,
    CreateBackupService,
    Restart,
    RestoreService,
    BackupController,
    ...provideStateOwner({ service: 'backup', store: RESTORE_JOURNAL, hooks: RestoreService }),
  ],
})
export class BackupModule {}
