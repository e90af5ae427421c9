import { bootstrapService } from '@incusos/service';
import { ApplicationsModule } from './applications.module.ts';

await bootstrapService(ApplicationsModule.on(), 'applications');
