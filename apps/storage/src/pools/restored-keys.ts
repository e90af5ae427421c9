/**
 * Makes pools go with the keys that a backup brought. A backup of another time, or of another machine, may hold a key
 * that isn't the pool's; the pool is open, so that it is given the new key instead of being lost at the next start.
 */
import { HOST, type Host, ProgramError } from '@incusos/host';
import { LOGGER, type ExclusiveRunner, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { poolKeyPath } from '../keys.ts';
import { STORAGE_RUNNER } from '../storage-runner.ts';
import { saidBy } from './zfs-error.ts';

@Injectable()
export class RestoredKeys {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(STORAGE_RUNNER) private readonly runner: ExclusiveRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  takeEffect(): Promise<void> {
    return this.runner.run(async () => {
      const { survey } = await this.inventory.refresh();
      const open = survey.datasets.filter(
        ({ name, keyStatus }) => keyStatus === 'available' && survey.isManaged(name),
      );
      await Promise.all(open.map(({ name }) => this.align(name)));
    });
  }

  private async align(pool: string): Promise<void> {
    const location = `file://${poolKeyPath(pool)}`;
    try {
      if (await this.fits(pool, location)) return;
      await this.host.programs.run([
        'zfs',
        'change-key',
        '-o',
        `keylocation=${location}`,
        '-o',
        'keyformat=raw',
        pool,
      ]);
      this.logger.warn('a backup brought another key for a pool, which has been given that key', { pool });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      this.logger.error('a backup brought another key for a pool, and the pool could not be given that key', {
        pool,
        error: saidBy(error),
      });
    }
  }

  private async fits(pool: string, location: string): Promise<boolean> {
    try {
      await this.host.programs.run(['zfs', 'load-key', '-n', '-L', location, pool]);
      return true;
    } catch (error) {
      if (error instanceof ProgramError && error.stderr.includes('Incorrect key')) return false;
      throw error;
    }
  }
}
