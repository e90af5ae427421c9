/** Reboot, power-off and suspend: the reply goes out first, then the service manager stops everything in order. */
import { type Host, HOST } from '@incusos/host';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';

/** Time for the reply to reach the caller through the gateway. */
const replyMs = 500;

export type PowerAction = 'reboot' | 'poweroff' | 'suspend';

@Injectable()
export class PowerService {
  private pending: PowerAction | undefined;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Asks for it; a second request before it happens changes nothing. */
  request(action: PowerAction): void {
    if (this.pending !== undefined) return;
    this.pending = action;
    this.logger.info(`System ${action} was requested`);
    setTimeout(() => void this.act(action), replyMs);
  }

  private async act(action: PowerAction): Promise<void> {
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
