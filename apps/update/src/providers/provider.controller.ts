import {
  type GetProviderResponse,
  ProviderServiceService,
  type ProviderServiceSetConfigRequest,
  type ProviderServiceSetConfigResponse,
  type RefreshRegistrationRequest,
  type RefreshRegistrationResponse,
  SystemProviderConfig,
} from '@incusos/contracts/update';
import { type CallContext, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { UpdateChecks } from '../checks/update-checks.service.ts';
import { UPDATE_STATE, type UpdateStore } from '../state/update-state.ts';
import { Providers } from './providers.service.ts';

@GrpcController(ProviderServiceService)
export class ProviderController implements ServiceHandlers<typeof ProviderServiceService> {
  constructor(
    @Inject(UPDATE_STATE) private readonly store: UpdateStore,
    @Inject(Providers) private readonly providers: Providers,
    @Inject(UpdateChecks) private readonly checks: UpdateChecks,
  ) {}

  getProvider(): GetProviderResponse {
    const { provider, registered } = this.store.current;
    return { provider: { config: provider, state: { registered } } };
  }

  async setConfig(
    { config }: ProviderServiceSetConfigRequest,
    call: CallContext,
  ): Promise<ProviderServiceSetConfigResponse> {
    await this.providers.configure(config ?? SystemProviderConfig.create(), call.signal);
    this.checks.status.forget();
    return {};
  }

  refreshRegistration({ cause }: RefreshRegistrationRequest): RefreshRegistrationResponse {
    this.providers.refreshRegistration(cause);
    return {};
  }
}
