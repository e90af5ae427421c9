/** The other services that this one asks. */
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { SecurityServiceService } from '@incusos/contracts/security';
import { connectService } from '@incusos/service';
import { Injectable, type OnModuleDestroy } from '@nestjs/common';

@Injectable()
export class Peers implements OnModuleDestroy {
  private readonly connections = {
    security: connectService('security'),
    applications: connectService('applications'),
  };
  readonly security = this.connections.security.use(SecurityServiceService);
  readonly applications = this.connections.applications.use(ApplicationsServiceService);

  onModuleDestroy(): void {
    for (const connection of Object.values(this.connections)) connection.close();
  }
}
