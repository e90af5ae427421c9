/** The services behind the gateway: one connection to each, made when it is first used. */
import { AddonHostService } from '@incusos/contracts/addons';
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { BackupServiceService } from '@incusos/contracts/backup';
import { NetworkServiceService } from '@incusos/contracts/network';
import { SecurityServiceService, TrustServiceService } from '@incusos/contracts/security';
import { StateOwnerService } from '@incusos/contracts/state';
import { StorageServiceService } from '@incusos/contracts/storage';
import { DebugServiceService, SystemServiceService } from '@incusos/contracts/system';
import { ProviderServiceService, UpdateServiceService } from '@incusos/contracts/update';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { connectService, type ServiceClient, type ServiceName, serviceNames } from '@incusos/service';

const addonHosts = ['network', 'storage', 'system'] as const;

/** A service that owns add-on services. */
export type AddonHostName = (typeof addonHosts)[number];

@Injectable()
export class Services implements OnApplicationShutdown {
  private readonly connections = {
    network: connectService('network'),
    storage: connectService('storage'),
    update: connectService('update'),
    security: connectService('security'),
    backup: connectService('backup'),
    applications: connectService('applications'),
    system: connectService('system'),
  } as const satisfies Record<ServiceName, unknown>;

  readonly applications = this.connections.applications.use(ApplicationsServiceService);
  readonly backup = this.connections.backup.use(BackupServiceService);
  readonly debug = this.connections.system.use(DebugServiceService);
  readonly network = this.connections.network.use(NetworkServiceService);
  readonly provider = this.connections.update.use(ProviderServiceService);
  readonly security = this.connections.security.use(SecurityServiceService);
  readonly storage = this.connections.storage.use(StorageServiceService);
  readonly system = this.connections.system.use(SystemServiceService);
  readonly trust = this.connections.security.use(TrustServiceService);
  readonly update = this.connections.update.use(UpdateServiceService);

  /** The services that may own add-on services. */
  readonly addonHosts: ReadonlyMap<AddonHostName, ServiceClient<typeof AddonHostService>> = new Map(
    addonHosts.map((name) => [name, this.connections[name].use(AddonHostService)]),
  );

  /** The state of one service; undefined when there is no such service. */
  stateOwner(service: string): ServiceClient<typeof StateOwnerService> | undefined {
    const name = serviceNames.find((known) => known === service);
    return name === undefined ? undefined : this.connections[name].use(StateOwnerService);
  }

  onApplicationShutdown(): void {
    for (const connection of Object.values(this.connections)) connection.close();
  }
}
