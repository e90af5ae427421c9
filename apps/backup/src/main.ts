import { bootstrapService } from '@incusos/service';
import { BackupModule } from './backup.module.ts';

await bootstrapService(BackupModule.on(), 'backup');
