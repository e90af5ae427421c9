/**
 * What is done with pools when the service starts: the drives they may be on are opened, what was being created is
 * finished or undone, our pools are imported and unlocked, all at once, and `local` is made where it never was.
 *
 * Invariants: only pools we hold a key for are imported; one that is missing is a warning and delays nothing; no key is
 * removed unless ZFS says that there is no pool of its name.
 */
import { SystemStoragePool } from '@incusos/contracts/storage';
import { HOST, type Host, ProgramError } from '@incusos/host';
import { type ExclusiveRunner, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { DriveEncryption } from '../drives/drive-encryption.ts';
import { Inventory } from '../inventory/inventory.ts';
import { poolKeyNames, poolKeyPath } from '../keys.ts';
import { Operations, type PendingCreation } from '../operations.ts';
import { STORAGE_RUNNER } from '../storage-runner.ts';
import { importArgv } from './pool-import.ts';
import { PoolCreation } from './pool-creation.ts';
import { localDataPath } from './pool-state.ts';
import { isNoSuchPool, saidBy } from './zfs-error.ts';
import type { PoolStatus } from './zpool-status.ts';

const importTimeoutMs = 10 * 60_000;
const resilverTimeoutMs = 7 * 24 * 3600 * 1000;

function why(error: unknown): string {
  if (error instanceof ProgramError) return saidBy(error);
  return reasonOf(error);
}

@Injectable()
export class PoolStartup {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Operations) private readonly operations: Operations,
    @Inject(PoolCreation) private readonly creation: PoolCreation,
    @Inject(DriveEncryption) private readonly drives: DriveEncryption,
    @Inject(STORAGE_RUNNER) private readonly runner: ExclusiveRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  run(): Promise<void> {
    return this.runner.run(async () => {
      await this.drives.openAll();
      for (const creation of (await this.operations.read()).creations) {
        await this.settle(creation).catch((error: unknown) => {
          this.logger.warn(
            'a pool whose creation was interrupted could not be looked for; its key is kept until it can',
            { pool: creation.pool, error: why(error) },
          );
        });
      }
      const names = await poolKeyNames(this.host.files);
      await Promise.all([...names].map((name) => this.open(name)));
      if (!names.has('local')) await this.ensureLocal();
      this.inventory.invalidate();
    });
  }

  /** Ends a creation that a crash interrupted: the pool is there, or its key goes. */
  private async settle({ pool, devices }: PendingCreation): Promise<void> {
    const { survey, links } = await this.inventory.refresh();
    const there = survey.status(pool) !== undefined || (await this.isImported(pool));
    if (!there && !devices.every((device) => links.node(device) !== undefined)) {
      this.logger.warn(
        'a pool whose creation was interrupted can not be looked for, because drives are missing',
        { pool },
      );
      return;
    }
    if (!there) {
      await this.host.files.remove(poolKeyPath(pool));
      this.logger.warn('the creation of a pool was interrupted, and it has been undone', { pool });
    }
    await this.operations.endCreation(pool);
  }

  /**
   * Imports a pool; false when there is none of that name.
   * @throws ProgramError when there may be one, which could not be imported.
   */
  private async isImported(pool: string): Promise<boolean> {
    try {
      await this.host.programs.run(importArgv(pool), { timeoutMs: importTimeoutMs });
      return true;
    } catch (error) {
      if (isNoSuchPool(error)) return false;
      throw error;
    }
  }

  private async open(pool: string): Promise<void> {
    try {
      const { survey } = await this.inventory.read();
      if (survey.status(pool) === undefined)
        await this.host.programs.run(importArgv(pool), { timeoutMs: importTimeoutMs });
      const { stdout } = await this.host.programs.run([
        'zfs',
        'get',
        '-H',
        '-p',
        '-o',
        'value',
        'keystatus',
        pool,
      ]);
      if (stdout.trim() === 'unavailable')
        await this.host.programs.run(['zfs', 'load-key', '-L', `file://${poolKeyPath(pool)}`, pool]);
    } catch (error) {
      this.logger.warn('a pool could not be imported', { pool, error: why(error) });
    }
  }

  private async ensureLocal(): Promise<void> {
    try {
      if ((await this.inventory.refresh()).survey.status('local') !== undefined) return;
      if (await this.isImported('local')) await this.keepLeftover();
      else if (await this.host.files.exists(localDataPath)) await this.createLocal();
    } catch (error) {
      this.logger.warn("zpool 'local' could not be set up", { error: why(error) });
    }
  }

  private async createLocal(): Promise<void> {
    const pool = SystemStoragePool.create({ name: 'local', type: 'zfs-raid0', devices: [localDataPath] });
    await this.creation.create(await this.creation.plan(pool, await this.inventory.refresh(), 'local'));
    this.logger.info("created zpool 'local'");
  }

  /** A `local` from before a reinstallation: made whole if its mirror lost the system partition, and left for the user to import. */
  private async keepLeftover(): Promise<void> {
    try {
      const status = (await this.inventory.refresh()).survey.status('local');
      const lost = status === undefined ? undefined : lostSystemMember(status);
      if (lost !== undefined) {
        await this.host.programs.run(['zpool', 'replace', '-w', 'local', lost, localDataPath], {
          timeoutMs: resilverTimeoutMs,
        });
      }
    } finally {
      await this.host.programs.run(['zpool', 'export', 'local'], { timeoutMs: importTimeoutMs });
    }
    this.logger.warn(
      "a zpool 'local' of an earlier installation was found; import it with its encryption key",
    );
  }
}

/** How to call the member that is the earlier system partition, in a mirror of which the other half works. */
function lostSystemMember({ state, members }: PoolStatus): string | undefined {
  const working = members.filter((member) => member.state === 'ONLINE');
  const lost = members.filter((member) => member.state !== 'ONLINE');
  const [member] = lost;
  if (state !== 'DEGRADED' || working.length !== 1 || lost.length !== 1 || member === undefined)
    return undefined;
  return member.device === localDataPath || member.device.endsWith('-part11') ? member.handle : undefined;
}
