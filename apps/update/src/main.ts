import { bootstrapService } from '@incusos/service';
import { UpdateModule } from './update.module.ts';

await bootstrapService(UpdateModule.on(), 'update');
