import { bootstrapService } from '@incusos/service';
import { NetworkModule } from './network.module.ts';

await bootstrapService(NetworkModule.on(), 'network');
