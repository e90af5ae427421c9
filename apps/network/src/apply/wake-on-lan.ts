/**
 * Cards run with a random address while their own one is that of the interface above them. They wake a machine by
 * their own, so it is put back while nothing else needs it: before power-off, reboot and suspend.
 */
import { HOST, type Host } from '@incusos/host';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { physicalName } from '../render/device-names.ts';
import { readLinks } from '../state/readings.ts';
import { NetworkConfigService } from './network-config.service.ts';

/** A machine that is to go down isn't kept up by this. */
const timeoutMs = 3_000;
const pollMs = 1_000;
/** A machine that still runs after that doesn't go down any more. */
const patienceMs = 120_000;
/** A shorter sleep is none. */
const sleepMs = 500;

@Injectable()
export class WakeOnLan implements OnApplicationShutdown {
  /** The addresses that the cards had, by their names. */
  private readonly replaced = new Map<string, string>();
  private watch: NodeJS.Timeout | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(NetworkConfigService) private readonly config: NetworkConfigService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationShutdown(): void {
    clearInterval(this.watch);
  }

  /** Gives cards that wake the machine their permanent address; what fails is logged. */
  async prepare(): Promise<void> {
    const wanted = (this.config.current?.interfaces ?? []).filter(
      ({ ethernet }) => ethernet?.wakeonlan === true,
    );
    if (wanted.length === 0) return;
    try {
      const links = new Map((await readLinks(this.host, timeoutMs)).map((link) => [link.name, link]));
      await Promise.all(
        wanted.map(async ({ hwaddr }) => {
          const link = links.get(physicalName(hwaddr));
          if (link === undefined || link.mac === link.permanentMac) return;
          if (await this.setAddress(link.name, link.permanentMac)) this.replaced.set(link.name, link.mac);
        }),
      );
      await this.watchForResume();
    } catch (error) {
      this.logger.error('the cards that wake this machine can not be made ready', { error: reasonOf(error) });
    }
  }

  /**
   * When the machine goes on, a card with the address of its interface would keep that one's frames from it.
   * The time that a machine slept is in its uptime, but not on the clock of `performance.now()` (clock_gettime(2)).
   */
  private async watchForResume(): Promise<void> {
    clearInterval(this.watch);
    const slept = async (): Promise<number> =>
      Number.parseFloat(await this.host.files.readText('/proc/uptime')) * 1000 - performance.now();
    const [before, began] = [await slept(), performance.now()];
    const check = async (): Promise<void> => {
      const goesOn = performance.now() - began > patienceMs || (await slept()) - before > sleepMs;
      if (goesOn) await this.putBack();
    };
    this.watch = setInterval(() => {
      check().catch((error: unknown) => this.logger.error(reasonOf(error)));
    }, pollMs);
  }

  private async putBack(): Promise<void> {
    clearInterval(this.watch);
    const before = [...this.replaced];
    this.replaced.clear();
    await Promise.all(before.map(([name, mac]) => this.setAddress(name, mac)));
  }

  private async setAddress(name: string, mac: string): Promise<boolean> {
    try {
      await this.host.programs.run(['ip', 'link', 'set', 'dev', name, 'address', mac], { timeoutMs });
      return true;
    } catch (error) {
      this.logger.error('the address of a card that wakes this machine could not be changed', {
        card: name,
        error: reasonOf(error),
      });
      return false;
    }
  }
}
