/** The gRPC service of the applications. What isn't built yet says so after the request was checked. */
import {
  ApplicationsServiceService,
  type BackupRequest,
  type BackupResponse,
  type CheckUpdateRequest,
  type CheckUpdateResponse,
  type DebugRequest,
  type DebugResponse,
  type FactoryResetRequest,
  type FactoryResetResponse,
  type GetApplicationRequest,
  type GetApplicationResponse,
  type InstallApplicationRequest,
  type InstallApplicationResponse,
  type ListApplicationsResponse,
  type ListCatalogueResponse,
  type RemoveRequest,
  type RemoveResponse,
  type RestartRequest,
  type RestartResponse,
  type RestoreRequest,
  type RestoreResponse,
  type RunActionRequest,
  type RunActionResponse,
  type SetConfigRequest,
  type SetConfigResponse,
  type SwitchVersionRequest,
  type SwitchVersionResponse,
} from '@incusos/contracts/applications';
import { DomainError, GrpcController, invalidField, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { ApplicationsService } from './applications.service.ts';
import { catalogue } from './catalogue/catalogue.ts';
import { InstalledService } from './installed/installed.service.ts';

@GrpcController(ApplicationsServiceService)
export class ApplicationsController implements ServiceHandlers<typeof ApplicationsServiceService> {
  constructor(
    @Inject(ApplicationsService) private readonly applications: ApplicationsService,
    @Inject(InstalledService) private readonly installed: InstalledService,
  ) {}

  async listApplications(): Promise<ListApplicationsResponse> {
    return { names: (await this.installed.list()).map(({ entry }) => entry.name) };
  }

  getApplication({ name }: GetApplicationRequest): Promise<GetApplicationResponse> {
    return this.applications.get(name);
  }

  async listCatalogue(): Promise<ListCatalogueResponse> {
    const installed = new Set((await this.installed.list()).map(({ entry }) => entry.name));
    return {
      applications: catalogue.map(({ name, primary, dependencies, weight }) => ({
        name,
        primary,
        dependencies: dependencies.map((any_of) => ({ any_of: [...any_of] })),
        weight,
        installed: installed.has(name),
      })),
    };
  }

  async setConfig(request: SetConfigRequest): Promise<SetConfigResponse> {
    await this.applications.setConfig(request);
    return {};
  }

  async restart({ name }: RestartRequest): Promise<RestartResponse> {
    await this.applications.restart(name);
    return {};
  }

  async installApplication({ name }: InstallApplicationRequest): Promise<InstallApplicationResponse> {
    await this.applications.checkInstallation(name);
    throw notYet();
  }

  async runAction({ name, action }: RunActionRequest): Promise<RunActionResponse> {
    const { entry } = await this.applications.require(name);
    const verb = action?.action ?? '';
    if (entry.actions.length === 0) throw notSupported();
    if (!entry.actions.includes(verb)) throw invalidField('action', `unsupported action '${verb}'`);
    throw notYet();
  }

  async *backup({ name }: BackupRequest): AsyncGenerator<BackupResponse> {
    const { entry } = await this.applications.require(name);
    throw entry.backup ? notYet() : notSupported();
  }

  async restore(requests: AsyncIterable<RestoreRequest>): Promise<RestoreResponse> {
    for await (const { name } of requests) {
      const { entry } = await this.applications.require(name);
      throw entry.backup ? notYet() : notSupported();
    }
    throw invalidField('name', 'missing application name');
  }

  async checkUpdate({ name }: CheckUpdateRequest): Promise<CheckUpdateResponse> {
    await this.applications.require(name);
    throw notYet();
  }

  async *debug({ name }: DebugRequest): AsyncGenerator<DebugResponse> {
    await this.applications.require(name);
    throw notYet();
  }

  async factoryReset({ name }: FactoryResetRequest): Promise<FactoryResetResponse> {
    const { entry } = await this.applications.require(name);
    throw entry.factoryReset ? notYet() : notSupported();
  }

  async remove({ name }: RemoveRequest): Promise<RemoveResponse> {
    const { entry } = await this.applications.require(name);
    if (entry.primary) throw new DomainError('INVALID_REQUEST', 'cannot remove a primary application');
    throw notYet();
  }

  async switchVersion({ name, version }: SwitchVersionRequest): Promise<SwitchVersionResponse> {
    await this.applications.checkSwitch(name, version);
    throw notYet();
  }
}

function notYet(): DomainError {
  return new DomainError('NOT_IMPLEMENTED', 'not implemented');
}

/** The application has no such thing. */
function notSupported(): DomainError {
  return new DomainError('INVALID_REQUEST', 'not supported');
}
