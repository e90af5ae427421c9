import {
  type ConfirmConfigResponse,
  type FlushDnsResponse,
  type GetNetworkResponse,
  NetworkServiceService,
  type PlanConfigRequest,
  type PlanConfigResponse,
  type PrepareForPowerChangeResponse,
  type SetConfigRequest,
  type SetConfigResponse,
} from '@incusos/contracts/network';
import { GrpcController, lasting, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { NetworkConfigService } from './apply/network-config.service.ts';
import { WakeOnLan } from './apply/wake-on-lan.ts';
import { NetworkService } from './network.service.ts';

/** `incusos.network.v1.NetworkService`. */
@GrpcController(NetworkServiceService)
export class NetworkController implements ServiceHandlers<typeof NetworkServiceService> {
  private shown: GetNetworkResponse = { network: undefined };

  constructor(
    @Inject(NetworkService) private readonly network: NetworkService,
    @Inject(NetworkConfigService) private readonly config: NetworkConfigService,
    @Inject(WakeOnLan) private readonly wakeOnLan: WakeOnLan,
  ) {}

  async getNetwork(): Promise<GetNetworkResponse> {
    const network = await this.network.get();
    if (this.shown.network !== network) this.shown = lasting({ network });
    return this.shown;
  }

  /** A caller that is gone doesn't stop the change: losing its connection may be what the change is about. */
  async setConfig({ config }: SetConfigRequest): Promise<SetConfigResponse> {
    await this.config.set(config);
    return {};
  }

  async planConfig({ config }: PlanConfigRequest): Promise<PlanConfigResponse> {
    return { plan: await this.config.plan(config) };
  }

  async confirmConfig(): Promise<ConfirmConfigResponse> {
    await this.config.confirm();
    return {};
  }

  async flushDns(): Promise<FlushDnsResponse> {
    await this.network.flushDns();
    return {};
  }

  async prepareForPowerChange(): Promise<PrepareForPowerChangeResponse> {
    await this.wakeOnLan.prepare();
    return {};
  }
}
