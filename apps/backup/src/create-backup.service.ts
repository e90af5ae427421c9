import { SystemServiceService } from '@incusos/contracts/system';
import { type CallContext, connectService } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import type { Backup } from './archive/backup.ts';
import { StateOwners } from './owners/state-owners.ts';

/** Gathers a backup from all services. */
@Injectable()
export class CreateBackupService implements OnModuleDestroy {
  private readonly system = connectService('system');

  constructor(@Inject(StateOwners) private readonly owners: StateOwners) {}

  onModuleDestroy(): void {
    this.system.close();
  }

  /**
   * The state of every service: some KiB each, all of it here before the first byte of an archive is sent, so that a
   * service that can't be asked is an error and not a broken archive.
   * @throws DomainError naming the service.
   */
  async gather({ signal }: CallContext): Promise<Backup> {
    const [{ environment }, ...services] = await Promise.all([
      this.system.use(SystemServiceService).getEnvironment({}, { signal }),
      ...this.owners.services.map(async (service) => this.owners.export(service, signal)),
    ]);
    return {
      createdAt: new Date().toISOString(),
      osName: environment?.os_name ?? '',
      osRelease: environment?.os_version ?? '',
      services,
    };
  }
}
