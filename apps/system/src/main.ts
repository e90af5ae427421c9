import { bootstrapService } from '@incusos/service';
import { SystemModule } from './system.module.ts';

await bootstrapService(SystemModule.on(), 'system');
