/** Reboot, power-off and suspend: the reply goes out first, then the service manager stops everything in order. */
import { NetworkServiceService } from '@incusos/contracts/network';
import { type Host, HOST } from '@incusos/host';
import { connectService, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common';

/** Time for the reply to reach the caller through the gateway. */
const replyMs = 500;
/** How long the network may take to make its cards ready to wake the machine; it goes down without that too. */
const networkMs = 5_000;

export type PowerAction = 'reboot' | 'poweroff' | 'suspend';

@Injectable()
export class PowerService implements OnApplicationShutdown {
  private readonly connection = connectService('network');
  private readonly network = this.connection.use(NetworkServiceService);
  private pending: PowerAction | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  onApplicationShutdown(): void {
    this.connection.close();
  }

  /** Asks for it; a second request before it happens changes nothing. */
  request(action: PowerAction): void {
    if (this.pending !== undefined) return;
    this.pending = action;
    this.logger.info(`System ${action} was requested`);
    setTimeout(() => void this.act(action), replyMs);
  }

  private async act(action: PowerAction): Promise<void> {
    await this.network.prepareForPowerChange({}, { timeoutMs: networkMs }).catch((error: unknown) => {
      this.logger.warn('The network could not be made ready to wake the machine', { error: reasonOf(error) });
    });
    try {
      await this.host.programs.run(['systemctl', action]);
    } catch (error) {
      this.logger.error(`The system could not ${action}`, {
        error: reasonOf(error),
      });
    } finally {
      // A suspended machine comes back and may be asked again.
      this.pending = undefined;
    }
  }
}
