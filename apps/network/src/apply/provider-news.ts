/**
 * Tells the provider that the machine may be reached otherwise now. In the background: whether anybody listens is
 * nothing that the network depends on.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { ProviderServiceService } from '@incusos/contracts/update';
import { connectService, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

const cause = 'network-config-changed';
/** The update service may be starting. */
const attempts = 5;
const pauseMs = 10_000;

@Injectable()
export class ProviderNews implements OnApplicationShutdown {
  private readonly connection = connectService('update');
  private readonly provider = this.connection.use(ProviderServiceService);
  private readonly stopped = new AbortController();
  private telling: Promise<void> | undefined;
  /** Something changed since the provider was last told. */
  private changed = false;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  onApplicationShutdown(): void {
    this.stopped.abort();
    this.connection.close();
  }

  /** Returns at once. */
  networkChanged(): void {
    this.changed = true;
    this.telling ??= this.tellAll().finally(() => {
      this.telling = undefined;
    });
  }

  private async tellAll(): Promise<void> {
    while (this.changed && !this.stopped.signal.aborted) {
      this.changed = false;
      await this.tell();
    }
  }

  private async tell(): Promise<void> {
    const { signal } = this.stopped;
    let problem: unknown;
    for (let attempt = 1; attempt <= attempts; attempt += 1) {
      try {
        await this.provider.refreshRegistration({ cause }, { signal });
        return;
      } catch (error) {
        problem = error;
      }
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (signal.aborted) return;
    }
    this.logger.warn('the provider could not be told that the network changed', { error: reasonOf(problem) });
  }
}
