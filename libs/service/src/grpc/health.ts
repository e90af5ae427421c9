/** `grpc.health.v1` for one process: not serving until it is ready, and not serving any more once it stops. */
import { status as grpcStatus } from '@grpc/grpc-js';
import type { HealthService } from '@incusos/contracts/health';
import { HealthCheckResponse_ServingStatus as ServingStatus } from '@incusos/contracts/health';
import type { CallContext } from './call-context.ts';
import type { ServiceHandlers } from './types.ts';

export class Health implements ServiceHandlers<typeof HealthService> {
  private serving = false;
  private readonly watchers = new Set<() => void>();

  /** @param services the full names of the gRPC services this process answers. */
  constructor(private readonly services: readonly string[]) {}

  set(serving: boolean): void {
    this.serving = serving;
    for (const wake of this.watchers) wake();
  }

  check({ service }: { service: string }): { status: ServingStatus } {
    if (service !== '' && !this.services.includes(service)) {
      throw Object.assign(new Error(`unknown service ${service}`), { code: grpcStatus.NOT_FOUND });
    }
    return { status: this.status };
  }

  async *watch(_request: { service: string }, call: CallContext): AsyncGenerator<{ status: ServingStatus }> {
    let told: ServingStatus | undefined;
    while (!call.signal.aborted) {
      if (told !== this.status) {
        told = this.status;
        yield { status: told };
      }
      await this.change(call.signal);
    }
  }

  private get status(): ServingStatus {
    return this.serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  private change(signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const wake = (): void => {
        this.watchers.delete(wake);
        signal.removeEventListener('abort', wake);
        resolve();
      };
      this.watchers.add(wake);
      signal.addEventListener('abort', wake, { once: true });
    });
  }
}
