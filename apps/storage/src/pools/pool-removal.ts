/** Destroys pools, and wipes the drives that they were on. */
import { HOST, type Host } from '@incusos/host';
import { DomainError, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { diskNode } from '../drives/device-links.ts';
import { Inventory, type Snapshot } from '../inventory/inventory.ts';
import { poolKeyPath } from '../keys.ts';
import { Wiper } from '../wipe/wiper.ts';
import { nameProblem } from './pool-rules.ts';
import { zfsFailure } from './zfs-error.ts';
import type { PoolMember } from './zpool-status.ts';

@Injectable()
export class PoolRemoval {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Wiper) private readonly wiper: Wiper,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws DomainError when it can't be destroyed, or was and something after that failed, which it names. */
  async delete(name: string): Promise<void> {
    if (name === '')
      throw new DomainError('INVALID_REQUEST', 'no pool name provided', {
        fields: [{ field: 'name', reason: 'must be given' }],
      });
    if (name === 'local') throw new DomainError('INVALID_REQUEST', "cannot destroy special zpool 'local'");
    const snapshot = await this.inventory.refresh();
    const status = snapshot.survey.status(name);
    const keyExists = nameProblem(name) === undefined && (await this.host.files.exists(poolKeyPath(name)));
    if (status === undefined) {
      if (!keyExists) throw new DomainError('NOT_FOUND', `cannot destroy zpool '${name}': no such pool`);
      await this.host.files.remove(poolKeyPath(name));
      this.inventory.invalidate();
      return;
    }
    try {
      await this.host.programs
        .run(['zpool', 'destroy', '-f', name], { timeoutMs: 120_000 })
        .catch((error: unknown) => {
          throw zfsFailure(error, `cannot destroy zpool '${name}'`);
        });
      if (keyExists) await this.host.files.remove(poolKeyPath(name));
      await this.wipeMembers(name, status.members, snapshot);
    } finally {
      this.inventory.invalidate();
    }
  }

  private async wipeMembers(pool: string, members: readonly PoolMember[], snapshot: Snapshot): Promise<void> {
    const failures = await Promise.all(members.map((member) => this.wipeMember(pool, member, snapshot)));
    const problems = failures.filter((failure) => failure !== undefined);
    if (problems.length > 0)
      throw new DomainError(
        'OPERATION_FAILED',
        `zpool '${pool}' is destroyed, but not all of its drives are wiped: ${problems.join('; ')}`,
      );
  }

  /** @returns what went wrong with a drive that worked until now; one that was broken already is only logged. */
  private async wipeMember(
    pool: string,
    { device, state }: PoolMember,
    { links, drives }: Snapshot,
  ): Promise<string | undefined> {
    const node = links.node(device);
    const drive = node === undefined ? undefined : drives.find(({ id }) => links.node(id) === diskNode(node));
    const target = drive ?? drives.find(({ encrypted_id }) => encrypted_id === device);
    if (target === undefined || target.boot) return undefined;
    try {
      await this.wiper.wipe(target.id, target.capacity_in_bytes, false);
      return undefined;
    } catch (error) {
      if (!(error instanceof DomainError)) throw error;
      if (state === 'ONLINE') return error.message;
      this.logger.warn('a drive that was broken could not be wiped', {
        pool,
        drive: target.id,
        error: error.message,
      });
      return undefined;
    }
  }
}
