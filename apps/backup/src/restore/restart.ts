import { SystemServiceService } from '@incusos/contracts/system';
import { connectService, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';

/** So that the answer to the restore is on its way before the machine goes down. */
const delayMs = 1_000;
const attempts = 10;

/** The reboot after a restore, after which every service runs with what was restored. */
@Injectable()
export class Restart {
  constructor(@Inject(LOGGER) private readonly logger: Logger) {}

  /** Asks for it in a moment, and again while the system service isn't there. */
  async soon(signal: AbortSignal): Promise<void> {
    const system = connectService('system');
    try {
      for (let attempt = 1; attempt <= attempts && !signal.aborted; attempt += 1) {
        await sleep(delayMs, undefined, { ref: false });
        try {
          await system.use(SystemServiceService).reboot({});
          return;
        } catch (error) {
          this.logger.warn('the machine could not be rebooted after a restore', {
            error: String(error),
            attempt,
          });
        }
      }
      if (!signal.aborted)
        this.logger.error('the machine has to be rebooted by hand for a restore to take effect everywhere');
    } finally {
      system.close();
    }
  }
}
