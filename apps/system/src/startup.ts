/** What the service does before it says that it is ready: the configuration takes effect again. */
import { attempt, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { KernelService } from './kernel/kernel.service.ts';
import { LoggingService } from './logging/logging.service.ts';

@Injectable()
export class Startup implements OnApplicationBootstrap {
  constructor(
    @Inject(KernelService) private readonly kernel: KernelService,
    @Inject(LoggingService) private readonly logging: LoggingService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** A part that fails is reported: an appliance that can be reached is worth more than one with every setting. */
  async onApplicationBootstrap(): Promise<void> {
    await Promise.all([
      attempt(this.logger, 'The kernel configuration could not be applied', () => this.kernel.applyAtBoot()),
      attempt(this.logger, 'The logging configuration could not be applied', () =>
        this.logging.applyStored(),
      ),
    ]);
  }
}
