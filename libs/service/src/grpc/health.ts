/** `grpc.health.v1` for one process: not serving until it is ready, and not serving any more once it stops. */
import { status as grpcStatus } from '@grpc/grpc-js';
import type { HealthService } from '@incusos/contracts/health';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@incusos/contracts/health';
import { ChangeSignal } from '../lifecycle/change-signal.ts';
import type { CallContext } from './call-context.ts';
import type { ServiceHandlers } from './types.ts';

export class Health implements ServiceHandlers<typeof HealthService> {
  private serving = false;
  private readonly changes = new ChangeSignal();

  /** @param services the full names of the gRPC services this process answers. */
  constructor(private readonly services: readonly string[]) {}

  set(serving: boolean): void {
    this.serving = serving;
    this.changes.announce();
  }

  check({ service }: { service: string }): { status: ServingStatus } {
    if (service !== '' && !this.services.includes(service)) {
      throw Object.assign(new Error(`unknown service ${service}`), { code: grpcStatus.NOT_FOUND });
    }
    return { status: this.status };
  }

  async *watch(_request: { service: string }, call: CallContext): AsyncGenerator<{ status: ServingStatus }> {
    for await (const status of this.changes.follow(() => this.status, call.signal)) yield { status };
  }

  private get status(): ServingStatus {
    return this.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }
}
