/** Whether the startup is complete: every service said that it is ready at least once since this one started. */
import { checkHealth, LOGGER, type Logger, type ServiceName, serviceNames } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';

const answerMs = 1_000;
const pauseMs = 200;

@Injectable()
export class Readiness implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly missing = new Set<ServiceName>(serviceNames);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  get isReady(): boolean {
    return this.missing.size === 0;
  }

  onApplicationBootstrap(): void {
    this.look();
  }

  onApplicationShutdown(): void {
    this.stopped = true;
    clearTimeout(this.timer);
  }

  private look(): void {
    void Promise.all(
      [...this.missing].map(async (service) => {
        if (await checkHealth(service, answerMs)) this.missing.delete(service);
      }),
    ).then(() => {
      if (this.isReady) this.logger.info('System is ready');
      else if (!this.stopped) {
        this.timer = setTimeout(() => this.look(), pauseMs);
        this.timer.unref();
      }
    });
  }
}
