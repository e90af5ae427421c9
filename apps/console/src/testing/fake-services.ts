/** Stands in for the services that the console asks: real gRPC servers on real sockets. */
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { Application, ApplicationsServiceService } from '@incusos/contracts/applications';
import { HealthCheckResponse_ServingStatus as ServingStatus, HealthService } from '@incusos/contracts/health';
import { NetworkServiceService, SystemNetwork } from '@incusos/contracts/network';
import { SecurityServiceService } from '@incusos/contracts/security';
import { DebugServiceService, Environment, SystemServiceService } from '@incusos/contracts/system';
import { addController, type CallContext, createLogger, socketPath } from '@incusos/service';
import { once } from 'node:events';

type Shape = Parameters<typeof addController>[1];

export class FakeServices {
  /** What the journal holds, oldest first. */
  readonly journal: string[] = [];
  devices = ['tty1'];
  environment = Environment.create({
    hostname: 'server01',
    machine_id: 'f75ff7da0f7a49d49f1e98669a70fdcc',
    os_name: 'IncusOS',
    os_version: '202611200705',
    os_version_next: '202611200705',
    system_is_ready: true,
  });
  retrieved = true;
  private readonly servers = new Map<string, Server>();
  private readonly written = new EventTarget();

  private readonly definitions: Readonly<Record<string, readonly [Shape, object][]>> = {
    system: [
      [
        SystemServiceService,
        {
          getEnvironment: () => ({ environment: this.environment }),
          getConsoles: () => ({ devices: this.devices }),
        },
      ],
      [DebugServiceService, { streamLog: (_query: unknown, call: CallContext) => this.follow(call.signal) }],
    ],
    network: [
      [
        NetworkServiceService,
        {
          getNetwork: () => ({
            network: SystemNetwork.fromPartial({
              config: { time: { timezone: 'Europe/Berlin' } },
              state: {
                interfaces: {
                  enp6s0: { addresses: [], state: 'no-carrier', type: 'interface' },
                  enp5s0: { addresses: ['2001:db8::1', '192.0.2.7'], state: 'routable', type: 'interface' },
                  enp7s0: { addresses: [], state: 'off', type: 'physical' },
                },
              },
            }),
          }),
        },
      ],
    ],
    security: [[SecurityServiceService, { getRecoveryKeyStatus: () => ({ retrieved: this.retrieved }) }]],
    applications: [
      [
        ApplicationsServiceService,
        {
          listApplications: () => ({ names: ['incus'] }),
          getApplication: () => ({
            application: {
              $case: 'plain',
              value: Application.fromPartial({ state: { friendly_version: '7.0.2 [202611120410]' } }),
            },
          }),
        },
      ],
    ],
    storage: [],
    update: [],
    backup: [],
  };

  async start(): Promise<void> {
    const logger = createLogger('fake');
    for (const [name, parts] of Object.entries(this.definitions)) {
      const server = new Server();
      const health = { watch: (_request: unknown, call: CallContext) => serving(call.signal) };
      for (const [definition, answers] of [[HealthService, health] as const, ...parts])
        addController(server, definition, withAll(definition, answers), logger);
      await new Promise<void>((resolve, reject) => {
        server.bindAsync(`unix:${socketPath(name)}`, ServerCredentials.createInsecure(), (error) => {
          if (error === null) resolve();
          else reject(error);
        });
      });
      this.servers.set(name, server);
    }
  }

  log(fields: object): void {
    this.journal.push(JSON.stringify({ __REALTIME_TIMESTAMP: '1795161612000000', ...fields }));
    this.written.dispatchEvent(new Event('entry'));
  }

  /** Ends a service as a kill does. */
  kill(name: string): void {
    this.servers.get(name)?.forceShutdown();
    this.servers.delete(name);
  }

  killAll(): void {
    for (const name of [...this.servers.keys()]) this.kill(name);
  }

  private async *follow(signal: AbortSignal): AsyncGenerator<{ entry: string }> {
    for (let next = 0; !signal.aborted; next += 1) {
      while (next >= this.journal.length) {
        await once(this.written, 'entry', { signal });
      }
      yield { entry: this.journal[next] ?? '' };
    }
  }
}

async function* serving(signal: AbortSignal): AsyncGenerator<{ status: ServingStatus }> {
  yield { status: ServingStatus.SERVING };
  await once(signal, 'abort');
}

/** Every other method of a service fails, so that what the console asks for is what the test knows of. */
function withAll(definition: Shape, answers: object): object {
  const others: Record<string, () => never> = {};
  for (const name of Object.keys(definition)) {
    others[name] = () => {
      throw new Error(`nobody expected ${name}`);
    };
  }
  return { ...others, ...answers };
}
