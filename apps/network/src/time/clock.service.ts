/**
 * Keeps the clock right: starts the time service, and tells what came of it. Nobody waits for it, since a network
 * without a time server is one that works.
 */
import type { SystemNetworkConfig, SystemNetworkTimeState } from '@incusos/contracts/network';
import { HOST, type Host } from '@incusos/host';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { timeServersOf } from './clock.ts';
import { TimeSync } from './time-sync.ts';

const timesyncd = 'systemd-timesyncd.service';
/** How long a first answer may take before it is worth a line in the log. */
const patienceMs = 30_000;

@Injectable()
export class ClockService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly sync: TimeSync;
  /** The servers that the running time service read at its start; `undefined` before this process started it. */
  private followed: { readonly servers: string | undefined } | undefined;
  private starting: Promise<void> = Promise.resolve();
  private patience: NodeJS.Timeout | undefined;
  private wasSynchronized = false;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    this.sync = new TimeSync(host, () => this.heard());
  }

  onApplicationBootstrap(): void {
    this.sync.start();
  }

  onApplicationShutdown(): void {
    clearTimeout(this.patience);
    this.sync.stop();
  }

  /** How the clock follows the servers, as it is known; asks nobody. */
  get state(): SystemNetworkTimeState | undefined {
    return this.sync.current;
  }

  /**
   * Lets the time service follow the servers of a configuration that was applied. It hears of changed links, and of
   * the servers that these bring, by itself; only its own file it reads no second time.
   */
  follow(config: SystemNetworkConfig | undefined): void {
    const servers = config === undefined ? undefined : timeServersOf(config);
    this.starting = this.starting
      .then(async () => this.startWith(servers))
      .catch((error: unknown) => {
        this.logger.warn('the clock could not be synchronized', { error: reasonOf(error) });
      });
  }

  private async startWith(servers: string | undefined): Promise<void> {
    const same = this.followed !== undefined && this.followed.servers === servers;
    if (same && (await this.isRunning())) return;
    this.wasSynchronized = false;
    await this.host.programs.run(['systemctl', 'restart', timesyncd]);
    this.followed = { servers };
    clearTimeout(this.patience);
    this.patience = setTimeout(() => {
      if (!this.wasSynchronized)
        this.logger.warn(
          `no time server answered within ${patienceMs / 1000} s, the clock is not synchronized`,
        );
    }, patienceMs).unref();
  }

  private async isRunning(): Promise<boolean> {
    const { stdout } = await this.host.programs.run(['systemctl', 'is-active', timesyncd], {
      acceptExitCodes: 'any',
    });
    return stdout.trim() === 'active';
  }

  private heard(): void {
    const { synchronized = false, server } = this.sync.current ?? {};
    if (synchronized && !this.wasSynchronized) this.logger.info('the clock is synchronized', { server });
    this.wasSynchronized = synchronized;
  }
}
