import { bootstrapService } from '@incusos/service';
import { StorageModule } from './storage.module.ts';

await bootstrapService(StorageModule.on(), 'storage');
