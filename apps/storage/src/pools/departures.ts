/** Wipes drives that a pool has let go of, as soon as it has: a replacement first copies, a removal first moves data. */
import { LOGGER, type ExclusiveRunner, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { diskNode } from '../drives/device-links.ts';
import { Inventory, type Snapshot } from '../inventory/inventory.ts';
import { Operations } from '../operations.ts';
import { STORAGE_RUNNER } from '../storage-runner.ts';
import { Wiper } from '../wipe/wiper.ts';

@Injectable()
export class Departures implements OnModuleDestroy {
  private looking: Promise<void> | undefined;

  constructor(
    @Inject(Inventory) private readonly inventory: Inventory,
    @Inject(Operations) private readonly operations: Operations,
    @Inject(Wiper) private readonly wiper: Wiper,
    @Inject(STORAGE_RUNNER) private readonly runner: ExclusiveRunner,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Looks after every change of the storage whether a drive has become free. */
  follow(): void {
    this.inventory.onChange(() => this.look());
  }

  async onModuleDestroy(): Promise<void> {
    await this.looking;
  }

  private look(): void {
    this.looking ??= this.wipeFree()
      .catch((error: unknown) => {
        this.logger.warn('drives that left a pool could not be wiped', { error: String(error) });
      })
      .finally(() => {
        this.looking = undefined;
      });
  }

  private async wipeFree(): Promise<void> {
    if ((await this.operations.read()).wipes.length === 0) return;
    await this.runner.run(async () => {
      const snapshot = await this.inventory.refresh();
      for (const { pool, device } of (await this.operations.read()).wipes) {
        // A pool that isn't there can't say whether it has let go.
        if (snapshot.survey.status(pool) === undefined) continue;
        const drive = freeDrive(snapshot, device);
        if (drive === 'in use') continue;
        if (drive !== undefined) {
          await this.wiper.wipe(drive.id, drive.capacity_in_bytes, false);
          this.logger.info('wiped a drive that left its pool', { drive: drive.id, pool });
          this.inventory.invalidate();
        }
        await this.operations.endWipe(device);
      }
    });
  }
}

/** The drive that a former member is on; `undefined` when it is gone, or is one that must not be wiped. */
function freeDrive(
  { links, drives, survey }: Snapshot,
  device: string,
): Snapshot['drives'][number] | 'in use' | undefined {
  const node = links.node(device);
  for (const member of survey.membership().keys()) {
    if (
      member === device ||
      (node !== undefined && diskNode(links.node(member) ?? member) === diskNode(node))
    )
      return 'in use';
  }
  if (node === undefined) return undefined;
  const drive = drives.find(({ id }) => links.node(id) === diskNode(node));
  return drive === undefined || drive.boot ? undefined : drive;
}
