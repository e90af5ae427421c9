import { bootstrapService } from '@incusos/service';
import { ConsoleModule } from './console.module.ts';

await bootstrapService(ConsoleModule, 'console');
