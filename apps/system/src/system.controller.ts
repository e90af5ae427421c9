/** The gRPC service of the machine itself: what each call means is in the folder of its capability. */
import {
  type GetConsolesResponse,
  type GetEnvironmentResponse,
  type GetKernelResponse,
  type GetLoggingResponse,
  type GetResourcesResponse,
  type PowerOffResponse,
  type RebootResponse,
  type SetKernelConfigRequest,
  type SetKernelConfigResponse,
  type SetLoggingConfigRequest,
  type SetLoggingConfigResponse,
  type SuspendResponse,
  SystemKernelConfig,
  SystemLoggingConfig,
  SystemServiceService,
} from '@incusos/contracts/system';
import { type CallContext, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { ConsolesService } from './consoles/consoles.service.ts';
import { EnvironmentService } from './environment/environment.service.ts';
import { KernelService } from './kernel/kernel.service.ts';
import { LoggingService } from './logging/logging.service.ts';
import { PowerService } from './power/power.service.ts';
import { ResourcesService } from './resources/resources.service.ts';

@GrpcController(SystemServiceService)
export class SystemController implements ServiceHandlers<typeof SystemServiceService> {
  constructor(
    @Inject(EnvironmentService) private readonly environment: EnvironmentService,
    @Inject(ResourcesService) private readonly resources: ResourcesService,
    @Inject(KernelService) private readonly kernel: KernelService,
    @Inject(LoggingService) private readonly logging: LoggingService,
    @Inject(PowerService) private readonly power: PowerService,
    @Inject(ConsolesService) private readonly consoles: ConsolesService,
  ) {}

  async getEnvironment(): Promise<GetEnvironmentResponse> {
    return { environment: await this.environment.get() };
  }

  async getResources(): Promise<GetResourcesResponse> {
    return { resources: await this.resources.get() };
  }

  async getKernel(): Promise<GetKernelResponse> {
    return { kernel: await this.kernel.get() };
  }

  async setKernelConfig(
    { config }: SetKernelConfigRequest,
    { signal }: CallContext,
  ): Promise<SetKernelConfigResponse> {
    await this.kernel.set(config ?? SystemKernelConfig.create(), signal);
    return {};
  }

  async getLogging(): Promise<GetLoggingResponse> {
    return { logging: await this.logging.get() };
  }

  async setLoggingConfig(
    { config }: SetLoggingConfigRequest,
    { signal }: CallContext,
  ): Promise<SetLoggingConfigResponse> {
    await this.logging.set(config ?? SystemLoggingConfig.create(), signal);
    return {};
  }

  async getConsoles(): Promise<GetConsolesResponse> {
    return { devices: await this.consoles.list() };
  }

  powerOff(): PowerOffResponse {
    this.power.request('poweroff');
    return {};
  }

  reboot(): RebootResponse {
    this.power.request('reboot');
    return {};
  }

  suspend(): SuspendResponse {
    this.power.request('suspend');
    return {};
  }
}
