/** Scrubs and trims of pools. */
import { HOST, type Host, ProgramError } from '@incusos/host';
import { DomainError } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { Inventory } from '../inventory/inventory.ts';
import { saidBy } from '../pools/zfs-error.ts';
import type { PoolStatus } from '../pools/zpool-status.ts';

export type Upkeep = 'scrub' | 'trim';

export function underWay(what: Upkeep, { scan, trims }: PoolStatus): boolean {
  return what === 'scrub' ? scan?.state === 'SCANNING' : trims.some((trim) => trim.state === 'ACTIVE');
}

@Injectable()
export class ScrubsService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
  ) {}

  /** @throws DomainError NOT_FOUND for an unknown pool, CONFLICT while one runs. */
  async start(what: Upkeep, pool: string): Promise<void> {
    if (pool === '')
      throw new DomainError('INVALID_REQUEST', 'no pool name provided', {
        fields: [{ field: 'name', reason: 'must be given' }],
      });
    const status = (await this.inventory.refresh()).survey.status(pool);
    if (status === undefined) throw new DomainError('NOT_FOUND', `zpool '${pool}' doesn't exist`);
    if (underWay(what, status)) throw new DomainError('CONFLICT', `${what} already in progress`);
    try {
      await this.host.programs.run(['zpool', what, pool]);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      // Begun by someone else since we looked.
      const busy = /currently (?:scrubbing|resilvering|trimming)/u.test(error.stderr);
      throw new DomainError(
        busy ? 'CONFLICT' : 'OPERATION_FAILED',
        busy ? `${what} already in progress` : `unable to ${what} zpool '${pool}': ${saidBy(error)}`,
        { cause: error },
      );
    } finally {
      this.inventory.invalidate();
    }
  }
}
