/** Which services answer: each tells it itself when it changes, and is asked again and again while it can't. */
import { HealthCheckResponse_ServingStatus as ServingStatus, HealthService } from '@incusos/contracts/health';
import { connectService, DomainError, type ServiceName, serviceNames } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redraw } from '../display/redraw.ts';
import { gatewayListens } from './gateway.ts';

/** A call can't last for ever; the next one goes on where it ends. */
const callMs = 24 * 60 * 60_000;
const pauseMs = 1_000;
/** The gateway is looked at, and that often. */
const gatewayMs = 5_000;

@Injectable()
export class ServicesHealth implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly end = new AbortController();
  private readonly serving = new Set<string>();
  private watching: Promise<unknown> = Promise.resolve();

  constructor(@Inject(Redraw) private readonly redraw: Redraw) {}

  /** Names of those that don't answer. */
  get missing(): readonly string[] {
    return [...serviceNames, 'gateway'].filter((name) => !this.serving.has(name));
  }

  onApplicationBootstrap(): void {
    this.watching = Promise.all([...serviceNames.map((name) => this.watch(name)), this.watchGateway()]);
  }

  async onApplicationShutdown(): Promise<void> {
    this.end.abort();
    await this.watching;
  }

  private async watch(name: ServiceName): Promise<void> {
    const { signal } = this.end;
    const connection = connectService(name);
    const health = connection.use(HealthService);
    while (!signal.aborted) {
      try {
        for await (const { status } of health.watch({ service: '' }, { signal, timeoutMs: callMs }))
          this.note(name, status === ServingStatus.SERVING);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
      }
      this.note(name, false);
      await this.pause(pauseMs);
    }
    connection.close();
  }

  private async watchGateway(): Promise<void> {
    while (!this.end.signal.aborted) {
      const listens = await gatewayListens();
      this.note('gateway', listens);
      await this.pause(listens ? gatewayMs : pauseMs);
    }
  }

  private note(name: string, serves: boolean): void {
    if (this.serving.has(name) === serves) return;
    if (serves) this.serving.add(name);
    else this.serving.delete(name);
    this.redraw.request();
  }

  private pause(ms: number): Promise<void> {
    return sleep(ms, undefined, { signal: this.end.signal }).catch(() => undefined);
  }
}
