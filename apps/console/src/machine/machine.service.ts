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
import { connectService, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Redraw } from '../display/redraw.ts';
import type { InstalledApplication, Interface } from '../screen/view.ts';
import { interfacesOf } from './interfaces.ts';

/** A machine that is busy with its start takes its time. */
const answerMs = 30_000;
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
  private readonly asking = new Set<string>();
  private stopped = false;

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Redraw) private readonly redraw: Redraw,
  ) {}

  get current(): MachineFacts {
    return this.facts;
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    for (const connection of Object.values(this.connections)) connection.close();
  }

  /** Begins to ask what is due. A service that is still to answer is not asked again meanwhile. */
  refresh(): void {
    const { environment, interfaces, consoles, applications, recoveryKeysRetrieved } = this.facts;
    this.ask('environment', environment?.system_is_ready === true, rarely, () => this.askEnvironment());
    this.ask('network', interfaces !== undefined, sometimes, () => this.askNetwork());
    this.ask('consoles', consoles.length > 0, rarely, () => this.askConsoles());
    this.ask('applications', applications !== undefined, rarely, () => this.askApplications());
    this.ask('keys', recoveryKeysRetrieved !== undefined, rarely, () => this.askRecoveryKeys());
    this.round += 1;
  }

  /** @param rounds once it is known, it is asked in each so manieth round. */
  private ask(name: string, known: boolean, rounds: number, how: () => Promise<Partial<MachineFacts>>): void {
    if (this.asking.has(name) || (known && this.round % rounds !== 0)) return;
    this.asking.add(name);
    how()
      .then((answer) => {
        this.facts = { ...this.facts, ...answer };
        this.redraw.request();
      })
      .catch((error: unknown) => {
        if (!this.stopped)
          this.logger.debug(`the ${name} could not be asked for`, { error: reasonOf(error) });
      })
      .finally(() => this.asking.delete(name));
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
