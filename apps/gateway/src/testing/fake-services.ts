/**
 * Stands in for all services behind the gateway: real gRPC servers on real sockets that answer what a test tells them,
 * and otherwise the empty message.
 */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { AddonHostService } from '@incusos/contracts/addons';
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { BackupServiceService } from '@incusos/contracts/backup';
import { NetworkServiceService } from '@incusos/contracts/network';
import { SecurityServiceService, type TrustedClient, TrustServiceService } from '@incusos/contracts/security';
import { StateOwnerService } from '@incusos/contracts/state';
import { StorageServiceService } from '@incusos/contracts/storage';
import { DebugServiceService, SystemServiceService } from '@incusos/contracts/system';
import { ProviderServiceService, UpdateServiceService } from '@incusos/contracts/update';
import {
  addController,
  type CallContext,
  createLogger,
  type ServiceHandlers,
  type ServiceName,
  serviceNames,
  socketPath,
} from '@incusos/service';

const definitions = {
  network: [NetworkServiceService, AddonHostService, StateOwnerService],
  storage: [StorageServiceService, AddonHostService, StateOwnerService],
  update: [UpdateServiceService, ProviderServiceService, StateOwnerService],
  security: [SecurityServiceService, TrustServiceService, StateOwnerService],
  backup: [BackupServiceService, StateOwnerService],
  applications: [ApplicationsServiceService, StateOwnerService],
  system: [SystemServiceService, DebugServiceService, AddonHostService, StateOwnerService],
} as const satisfies Record<ServiceName, readonly object[]>;

type Shape = Parameters<typeof addController>[1];
type Handler = (request: unknown, call: CallContext) => unknown;

/** One call as a service saw it. */
export interface SeenCall {
  readonly service: ServiceName;
  /** `incusos.network.v1.NetworkService/GetNetwork` */
  readonly call: string;
  readonly request: unknown;
  readonly correlationId: string;
}

export class FakeServices {
  readonly seen: SeenCall[] = [];
  private readonly servers = new Map<ServiceName, Server>();
  private readonly handlers = new Map<string, Handler>();
  private readonly trustWatchers = new Set<() => void>();
  private trusted: TrustedClient[] = [];

  constructor() {
    this.on('security', TrustServiceService, 'watchTrustedClients', (_request, call) =>
      this.watchTrust(call),
    );
  }

  /** What one service answers to one call from now on. */
  on<S extends Shape, M extends keyof S & string>(
    service: ServiceName,
    definition: S,
    method: M,
    handler: ServiceHandlers<S>[M],
  ): void {
    const shape = definition[method];
    if (shape === undefined) throw new Error(`there is no ${method}`);
    this.handlers.set(`${service} ${shape.path}`, handler as Handler);
  }

  /** The clients with these fingerprints are trusted from now on, and no others. */
  trust(...fingerprints: string[]): void {
    this.trusted = fingerprints.map((fingerprint) => ({
      fingerprint,
      certificate: '',
      name: '',
      role: 'admin',
    }));
    for (const wake of this.trustWatchers) wake();
  }

  async startAll(): Promise<void> {
    await Promise.all(serviceNames.map((name) => this.start(name)));
  }

  async start(name: ServiceName): Promise<void> {
    const server = new Server();
    const logger = createLogger(name);
    for (const definition of definitions[name])
      addController(server, definition, this.controller(name, definition), logger);
    await new Promise<void>((resolve, reject) => {
      server.bindAsync(`unix:${socketPath(name)}`, ServerCredentials.createInsecure(), (error) => {
        if (error === null) resolve();
        else reject(error);
      });
    });
    this.servers.set(name, server);
  }

  /** Ends a service as a kill does: its calls break off. */
  kill(name: ServiceName): void {
    this.servers.get(name)?.forceShutdown();
    this.servers.delete(name);
  }

  killAll(): void {
    for (const name of [...this.servers.keys()]) this.kill(name);
  }

  private controller(service: ServiceName, definition: Shape): object {
    return Object.fromEntries(
      Object.entries(definition).map(([name, method]) => {
        const call = method.path.slice(1);
        const handler: Handler = (request, context) => {
          this.seen.push({ service, call, request, correlationId: context.correlationId });
          const told = this.handlers.get(`${service} ${method.path}`);
          if (told !== undefined) return told(request, context);
          if (method.responseStream) return nothing();
          const empty = method.responseDeserialize(Buffer.alloc(0));
          return method.requestStream ? drained(request as AsyncIterable<unknown>, empty) : empty;
        };
        return [name, handler];
      }),
    );
  }

  private async *watchTrust(call: CallContext) {
    while (!call.signal.aborted) {
      yield { clients: this.trusted };
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          this.trustWatchers.delete(wake);
          resolve();
        };
        this.trustWatchers.add(wake);
        call.signal.addEventListener('abort', wake, { once: true });
      });
    }
  }
}

async function* nothing(): AsyncGenerator<never> {
  // A stream without messages.
}

async function drained(requests: AsyncIterable<unknown>, answer: unknown): Promise<unknown> {
  await allOf(requests);
  return answer;
}

/** Everything of a stream. */
export async function allOf<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}
