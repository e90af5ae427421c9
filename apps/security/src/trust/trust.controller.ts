import {
  type AddTrustedClientRequest,
  type AddTrustedClientResponse,
  type GetFallbackListenerResponse,
  type ListTrustedClientsResponse,
  type SetFallbackListenerRequest,
  type SetFallbackListenerResponse,
  SystemFallbackListenerConfig,
  TrustServiceService,
  type WatchTrustedClientsResponse,
} from '@incusos/contracts/security';
import { type CallContext, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { FallbackListenerService } from './fallback-listener.service.ts';
import { TrustedClientsService } from './trusted-clients.service.ts';

/** Answers `incusos.security.v1.TrustService`. */
@GrpcController(TrustServiceService)
export class TrustController implements ServiceHandlers<typeof TrustServiceService> {
  constructor(
    @Inject(FallbackListenerService) private readonly listener: FallbackListenerService,
    @Inject(TrustedClientsService) private readonly clients: TrustedClientsService,
  ) {}

  getFallbackListener(): GetFallbackListenerResponse {
    return { fallback_listener: this.listener.current() };
  }

  async setFallbackListener({
    fallback_listener,
  }: SetFallbackListenerRequest): Promise<SetFallbackListenerResponse> {
    await this.listener.replace(fallback_listener?.config ?? SystemFallbackListenerConfig.create());
    return {};
  }

  listTrustedClients(): ListTrustedClientsResponse {
    return { clients: this.clients.list() };
  }

  async addTrustedClient(request: AddTrustedClientRequest): Promise<AddTrustedClientResponse> {
    return { client: await this.clients.add(request) };
  }

  async *watchTrustedClients(
    _request: unknown,
    call: CallContext,
  ): AsyncGenerator<WatchTrustedClientsResponse> {
    for await (const clients of this.clients.watch(call.signal)) yield { clients };
  }
}
