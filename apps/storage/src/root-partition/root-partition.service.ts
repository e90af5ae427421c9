/** The space of the partition that the appliance's own files are on. */
import type { SystemStorageRootPartition } from '@incusos/contracts/storage';
import { HOST, type Host } from '@incusos/host';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';

const GiB = 1024n ** 3n;
const warnBelow = 5n * GiB;
const cleanBelow = 1n * GiB;

@Injectable()
export class RootPartitionService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async usage(): Promise<SystemStorageRootPartition> {
    const { total, available } = await this.host.files.space('/');
    return { size_in_bytes: total, available_in_bytes: available };
  }

  /** Warns when space gets short, and makes some when hardly any is left. */
  async check(): Promise<void> {
    const { available_in_bytes: available } = await this.usage();
    if (available >= warnBelow) return;
    this.logger.warn('the root partition is running out of space', {
      available_mib: Number(available / 1024n ** 2n),
    });
    if (available < cleanBelow) await this.cleanUp();
  }

  /** Reduces the journal to its newest file and empties the caches. */
  async cleanUp(): Promise<void> {
    const names = await this.host.files.list('/var/cache');
    const results = await Promise.allSettled([
      this.host.programs
        .run(['journalctl', '--rotate'])
        .then(() => this.host.programs.run(['journalctl', '--vacuum-files=1'])),
      ...names.map((name) => this.host.files.remove(`/var/cache/${name}`)),
    ]);
    const failed = results.find((result) => result.status === 'rejected');
    if (failed === undefined) return;
    const reason: unknown = failed.reason;
    throw new DomainError(
      'OPERATION_FAILED',
      `the root partition was not cleaned up completely: ${reasonOf(reason)}`,
    );
  }
}
