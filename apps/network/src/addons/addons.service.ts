/** The add-on services of the network, in the order in which they start. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { ServiceTailscaleState } from '@incusos/contracts/addons';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { openSeeds } from '@incusos/seeds';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { NETWORK_LIMITS, NetworkConfigService, type NetworkLimits } from '../apply/network-config.service.ts';
import { waitUntilOnline } from '../apply/online.ts';
import { hostNameOf } from '../hostname/hostname.ts';
import { NETWORK_STATE, type NetworkAddons, type NetworkState } from '../network-state.ts';
import { NetworkService } from '../network.service.ts';
import type { AddonName } from './addon.ts';
import { AddonRunner } from './addon-runner.ts';
import { Netbird } from './netbird.ts';
import { Ovn, type OvnSurroundings } from './ovn.ts';
import { addressWithRole } from './role-address.ts';
import { removeSecretFiles } from './secret-file.ts';
import { Tailscale } from './tailscale.ts';

/** How often an add-on looks at what the service knows of the network by then. */
const followMs = 5_000;
/** How long it waits at most after it failed again and again. */
const longestPauseMs = 120_000;
const stopPatienceMs = 2_000;
const addressPollMs = 250;

type Runners = { readonly [Name in AddonName]: AddonRunner<Name> };

@Injectable()
export class AddonsService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly runners: Runners;
  private readonly tailscale: Tailscale;
  private starting: Promise<void> = Promise.resolve();
  private timer: NodeJS.Timeout | undefined;
  private pauseMs = followMs;
  private quietUntil = 0;
  /** What was last said to be wrong. */
  private trouble = '';
  private readonly stopping = new AbortController();

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NETWORK_STATE) private readonly store: StateStore<NetworkState>,
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(NETWORK_LIMITS) private readonly limits: NetworkLimits,
    @Inject(NetworkConfigService) private readonly networkConfig: NetworkConfigService,
    @Inject(NetworkService) private readonly network: NetworkService,
  ) {
    const context = { host, store, logger };
    const surroundings: OvnSurroundings = {
      hostName: () => hostNameOf(host, networkConfig.current ?? SystemNetworkConfig.create()),
      addressOf: async (role) => addressWithRole((await network.get()).state?.interfaces ?? {}, role),
    };
    this.tailscale = new Tailscale(host, logger);
    this.runners = {
      netbird: new AddonRunner('netbird', new Netbird(host), context),
      ovn: new AddonRunner('ovn', new Ovn(host, surroundings), context),
      tailscale: new AddonRunner('tailscale', this.tailscale, context),
    };
  }

  onApplicationBootstrap(): void {
    // Calls are answered meanwhile; a change waits for it.
    this.starting = this.bringUp().catch((error: unknown) => {
      this.logger.warn('the add-on services could not be started', { error: reasonOf(error) });
    });
    this.timer = setInterval(() => void this.follow(), followMs).unref();
  }

  async onApplicationShutdown(): Promise<void> {
    clearInterval(this.timer);
    this.stopping.abort();
    // What takes longer is taken back at the next start. The daemons go on.
    const settled = Promise.all(Object.values(this.runners).map((runner) => runner.settled()));
    await Promise.race([settled, sleep(stopPatienceMs, undefined, { ref: false })]);
  }

  config<Name extends AddonName>(name: Name): NetworkAddons[Name] {
    return this.runners[name].config;
  }

  tailscaleState(): Promise<ServiceTailscaleState> {
    return this.tailscale.state(this.config('tailscale'));
  }

  /** @throws DomainError `INVALID_REQUEST` naming the fields of an add-on's configuration that are wrong. */
  check({ netbird, ovn, tailscale }: NetworkAddons): void {
    this.runners.netbird.check(netbird);
    this.runners.ovn.check(ovn);
    this.runners.tailscale.check(tailscale);
  }

  /** @throws DomainError as {@link AddonRunner.set}. */
  async set<Name extends AddonName>(name: Name, config: NetworkAddons[Name]): Promise<void> {
    const runner: AddonRunner<Name> = this.runners[name];
    runner.check(config);
    await this.starting;
    await runner.set(config);
  }

  /** @throws DomainError as {@link AddonRunner.reset}. */
  async reset(name: AddonName): Promise<void> {
    await this.starting;
    await this.runners[name].reset();
  }

  /** Makes the machine as the state file says, after that was replaced from outside. */
  async adopt(): Promise<void> {
    await this.starting;
    for (const runner of Object.values(this.runners)) await runner.adopt();
  }

  private async bringUp(): Promise<void> {
    await removeSecretFiles(this.host);
    await this.networkConfig.started();
    const seed = this.seedWanted() ? await this.readSeed() : {};
    const { addons } = this.store.current;
    const wanted = [seed.netbird, seed.ovn, seed.tailscale, addons.netbird, addons.ovn, addons.tailscale];
    if (wanted.some((config) => config?.enabled === true)) await this.networkUp();
    for (const runner of Object.values(this.runners)) await runner.start();
    if (this.seedWanted()) await this.followSeed(seed);
  }

  private seedWanted(): boolean {
    return !this.store.current.addons_seeded && this.store.problem === undefined;
  }

  /** What the seed wants the add-ons to be; a seed that can't be used stops nothing. */
  private async readSeed(): Promise<Partial<NetworkAddons>> {
    try {
      const { netbird, ovn, tailscale } = (await openSeeds(this.host).read('services')) ?? {};
      const seeded = { netbird, ovn, tailscale };
      return Object.fromEntries(Object.entries(seeded).filter(([, config]) => config !== undefined));
    } catch (error) {
      this.logger.error('the services seed is not used', { error: reasonOf(error) });
      return {};
    }
  }

  /** Puts in force what the seed says, each add-on for itself, and never again. */
  private async followSeed({ netbird, ovn, tailscale }: Partial<NetworkAddons>): Promise<void> {
    if (netbird !== undefined) await this.seedOne('netbird', this.runners.netbird.set(netbird));
    if (ovn !== undefined) await this.seedOne('ovn', this.runners.ovn.set(ovn));
    if (tailscale !== undefined) await this.seedOne('tailscale', this.runners.tailscale.set(tailscale));
    await this.store.commit('services seed', (state) => ({ ...state, addons_seeded: true }));
  }

  private async seedOne(name: AddonName, work: Promise<void>): Promise<void> {
    await work.catch((error: unknown) => {
      this.logger.error(`the services seed is not used for ${name}`, { error: reasonOf(error) });
    });
  }

  /** Waits for the network as long as it may take; without it an add-on may start all the same. */
  private async networkUp(): Promise<void> {
    const deadline = performance.now() + this.limits.onlineMs;
    const { current } = this.networkConfig;
    if (current !== undefined) {
      await waitUntilOnline(this.host, current, deadline).catch((error: unknown) => {
        this.logger.info('the add-on services start before the network is up', { reason: reasonOf(error) });
      });
    }
    // No device may have been declared as needed.
    while (performance.now() < deadline && !this.stopping.signal.aborted) {
      if (addressWithRole((await this.network.get()).state?.interfaces ?? {}, 'cluster') !== undefined)
        return;
      await sleep(addressPollMs);
    }
  }

  private async follow(): Promise<void> {
    await this.starting;
    if (this.stopping.signal.aborted || performance.now() < this.quietUntil) return;
    try {
      for (const runner of Object.values(this.runners)) await runner.follow();
      this.pauseMs = followMs;
      this.trouble = '';
    } catch (error) {
      const trouble = reasonOf(error);
      if (trouble !== this.trouble)
        this.logger.warn('an add-on service could not follow the network, it is tried again', {
          error: trouble,
        });
      this.trouble = trouble;
      this.pauseMs = Math.min(2 * this.pauseMs, longestPauseMs);
      this.quietUntil = performance.now() + this.pauseMs;
    }
  }
}
