import { bootstrapService } from '@incusos/service';
import { SecurityModule } from './security.module.ts';

await bootstrapService(SecurityModule.on(), 'security');
