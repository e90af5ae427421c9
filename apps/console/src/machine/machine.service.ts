/**
 * What the other services say about the machine, asked again and again.
 *
 * Invariants: one service that doesn't answer leaves what the others say as it is, and what it said itself before; no
 * recovery key ever reaches this process.
 */
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { HealthCheckResponse_ServingStatus as ServingStatus, HealthService } from '@incusos/contracts/health';
import { NetworkServiceService } from '@incusos/contracts/network';
import { SecurityServiceService } from '@incusos/contracts/security';
import { type Environment, SystemServiceService } from '@incusos/contracts/system';
import {
  connectService,
  DomainError,
  LOGGER,
  type Logger,
  type ServiceConnection,
  type ServiceName,
  serviceNames,
} from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { InstalledApplication, Interface } from '../screen/view.ts';
import { gatewayListens } from './gateway.ts';
import { interfacesOf } from './interfaces.ts';

/** What is asked every time, and what costs more or changes rarely. */
const answerMs = 4_000;
const rarely = 6;

export interface MachineFacts {
  readonly environment: Environment | undefined;
  readonly timeZone: string;
  readonly interfaces: readonly Interface[] | undefined;
  readonly networkChanges: boolean;
  readonly applications: readonly InstalledApplication[] | undefined;
  readonly recoveryKeysRetrieved: boolean | undefined;
  /** Names of the devices that show the screen; none while they aren't known. */
  readonly consoles: readonly string[];
  readonly missing: readonly string[];
}

@Injectable()
export class MachineService implements OnApplicationShutdown {
  private readonly connections = Object.fromEntries(
    serviceNames.map((name) => [name, connectService(name)]),
  ) as Record<ServiceName, ServiceConnection>;
  private facts: MachineFacts = {
    environment: undefined,
    timeZone: 'UTC',
    interfaces: undefined,
    networkChanges: false,
    applications: undefined,
    recoveryKeysRetrieved: undefined,
    consoles: [],
    missing: [...serviceNames, 'gateway'],
  };
  private rounds = 0;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  get current(): MachineFacts {
    return this.facts;
  }

  onApplicationShutdown(): void {
    for (const connection of Object.values(this.connections)) connection.close();
  }

  /** Asks all services at once. */
  async refresh(): Promise<void> {
    const often = [() => this.askHealth(), () => this.askEnvironment(), () => this.askNetwork()];
    const now = this.facts;
    const seldom: [boolean, () => Promise<Partial<MachineFacts>>][] = [
      [now.consoles.length === 0, () => this.askConsoles()],
      [now.applications === undefined, () => this.askApplications()],
      [now.recoveryKeysRetrieved === undefined, () => this.askRecoveryKeys()],
    ];
    const due = this.rounds % rarely === 0;
    this.rounds += 1;
    const asked = [...often, ...seldom.filter(([unknown]) => unknown || due).map(([, ask]) => ask)];
    await Promise.all(asked.map((ask) => this.take(ask)));
  }

  private async take(ask: () => Promise<Partial<MachineFacts>>): Promise<void> {
    try {
      const answer = await ask();
      this.facts = { ...this.facts, ...answer };
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      this.logger.debug('a service could not say what the screen shows of it', { error: error.message });
    }
  }

  private async askHealth(): Promise<Partial<MachineFacts>> {
    const [gateway, ...services] = await Promise.all([
      gatewayListens(),
      ...serviceNames.map((name) => this.isServing(name)),
    ]);
    const missing: string[] = serviceNames.filter((_name, index) => services[index] !== true);
    return { missing: gateway ? missing : [...missing, 'gateway'] };
  }

  private async isServing(name: ServiceName): Promise<boolean> {
    try {
      const health = this.connections[name].use(HealthService);
      const { status } = await health.check({ service: '' }, { timeoutMs: answerMs });
      return status === ServingStatus.SERVING;
    } catch (error) {
      if (error instanceof DomainError) return false;
      throw error;
    }
  }

  private async askEnvironment(): Promise<Partial<MachineFacts>> {
    const system = this.connections.system.use(SystemServiceService);
    const { environment } = await system.getEnvironment({}, { timeoutMs: answerMs });
    return { environment };
  }

  private async askNetwork(): Promise<Partial<MachineFacts>> {
    const { network } = await this.connections.network
      .use(NetworkServiceService)
      .getNetwork({}, { timeoutMs: answerMs });
    return {
      timeZone: network?.config?.time?.timezone ?? 'UTC',
      interfaces: interfacesOf(network?.state),
      networkChanges: network?.state?.configuration_in_process ?? false,
    };
  }

  private async askConsoles(): Promise<Partial<MachineFacts>> {
    const system = this.connections.system.use(SystemServiceService);
    const { devices } = await system.getConsoles({}, { timeoutMs: answerMs });
    return { consoles: devices };
  }

  private async askRecoveryKeys(): Promise<Partial<MachineFacts>> {
    const security = this.connections.security.use(SecurityServiceService);
    const { retrieved } = await security.getRecoveryKeyStatus({}, { timeoutMs: answerMs });
    return { recoveryKeysRetrieved: retrieved };
  }

  private async askApplications(): Promise<Partial<MachineFacts>> {
    const service = this.connections.applications.use(ApplicationsServiceService);
    const { names } = await service.listApplications({}, { timeoutMs: answerMs });
    const applications = await Promise.all(
      names.map(async (name) => {
        const { application } = await service.getApplication({ name }, { timeoutMs: answerMs });
        const state = application?.value.state;
        return { name, version: state?.friendly_version ?? '' };
      }),
    );
    return { applications };
  }
}
