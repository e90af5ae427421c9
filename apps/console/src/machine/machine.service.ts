/**
 * What the other services say about the machine, asked again and again, and no more often than people look: each answer
 * is also garbage to collect, and the console is idle nearly always.
 *
 * Invariants: one service that doesn't answer leaves what the others say as it is, and what it said itself before; no
 * recovery key ever reaches this process.
 */
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { NetworkServiceService } from '@incusos/contracts/network';
import { SecurityServiceService } from '@incusos/contracts/security';
import { type Environment, SystemServiceService } from '@incusos/contracts/system';
import { connectService, DomainError, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import type { InstalledApplication, Interface } from '../screen/view.ts';
import { interfacesOf } from './interfaces.ts';

const answerMs = 4_000;
/** What is asked in each so manieth round only, once it is known. */
const sometimes = 2;
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
}

@Injectable()
export class MachineService implements OnApplicationShutdown {
  private readonly connections = {
    applications: connectService('applications'),
    network: connectService('network'),
    security: connectService('security'),
    system: connectService('system'),
  };
  private facts: MachineFacts = {
    environment: undefined,
    timeZone: 'UTC',
    interfaces: undefined,
    networkChanges: false,
    applications: undefined,
    recoveryKeysRetrieved: undefined,
    consoles: [],
  };
  private round = 0;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  get current(): MachineFacts {
    return this.facts;
  }

  onApplicationShutdown(): void {
    for (const connection of Object.values(this.connections)) connection.close();
  }

  /** Asks what is due, all services at once. */
  async refresh(): Promise<void> {
    const { environment, interfaces, consoles, applications, recoveryKeysRetrieved } = this.facts;
    const asks: [boolean, number, () => Promise<Partial<MachineFacts>>][] = [
      [environment?.system_is_ready === true, rarely, () => this.askEnvironment()],
      [interfaces !== undefined, sometimes, () => this.askNetwork()],
      [consoles.length > 0, rarely, () => this.askConsoles()],
      [applications !== undefined, rarely, () => this.askApplications()],
      [recoveryKeysRetrieved !== undefined, rarely, () => this.askRecoveryKeys()],
    ];
    const due = asks.filter(([known, rounds]) => !known || this.round % rounds === 0);
    this.round += 1;
    await Promise.all(due.map(([, , ask]) => this.take(ask)));
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
