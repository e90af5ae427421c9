/**
 * What a restored state of the applications changes: their configuration. Which versions are on this machine's disk
 * isn't for a backup to say.
 */
import { type Host, HOST } from '@incusos/host';
import { DomainError, LOGGER, type Logger } from '@incusos/service';
import type { ImportContext, StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { catalogue, catalogueEntry, stateKey } from '../catalogue/catalogue.ts';
import { applyLxcfs } from '../incus/lxcfs.ts';
import { InstalledService } from '../installed/installed.service.ts';
import type { ApplicationRecord, ApplicationsState } from './applications-state.ts';

@Injectable()
export class ApplicationsImport implements StateOwnerHooks<ApplicationsState> {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(InstalledService) private readonly installed: InstalledService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * @throws DomainError when this machine's primary application isn't in the backup. A machine that has none yet takes
   * its own backup, which has none either.
   */
  async transform(
    data: ApplicationsState,
    { current }: ImportContext<ApplicationsState>,
  ): Promise<ApplicationsState> {
    const present = await this.installed.list();
    const primary = present.filter(({ entry }) => entry.primary).map(({ key }) => key);
    const backedUp = Object.keys(data.applications).filter((name) => isPrimary(name));
    const neither = primary.length === 0 && backedUp.length === 0;
    if (!neither && !primary.some((key) => backedUp.includes(key))) {
      throw new DomainError(
        'INVALID_REQUEST',
        "backup state doesn't include the incus, migration-manager, or operations-center application",
      );
    }
    const missing = Object.keys(data.applications).filter((name) => !(name in current.applications));
    const unknown = missing.find((name) => catalogueEntry(name) === undefined);
    if (unknown !== undefined) throw new DomainError('INVALID_REQUEST', `unknown application '${unknown}'`);
    if (missing.length > 0) {
      this.logger.warn('Applications of the backup are not installed here', { names: missing.join(', ') });
    }
    const merged = Object.entries(current.applications).map(([name, own]) => {
      const imported = data.applications[name];
      return [name, imported === undefined ? own : merge(own, imported)] as const;
    });
    return { ...current, applications: Object.fromEntries(merged) };
  }

  async apply(_previous: ApplicationsState, next: ApplicationsState): Promise<void> {
    const lxcfs = next.applications['incus']?.lxcfs;
    if (lxcfs !== undefined) await applyLxcfs(this.host, lxcfs);
    await this.installed.adopt();
  }
}

/** Whether an entry of the state is that of a primary application. */
function isPrimary(key: string): boolean {
  return catalogue.some((entry) => entry.primary && stateKey(entry) === key);
}

/** The configuration of the backup with what is so on this machine. */
function merge(own: ApplicationRecord, imported: ApplicationRecord): ApplicationRecord {
  const { version, initialized, friendly_version, last_restored } = own;
  const { pin_current_versions, lxcfs, api_tokens } = imported;
  return {
    version,
    initialized,
    friendly_version,
    pin_current_versions,
    ...(last_restored === undefined ? {} : { last_restored }),
    ...(lxcfs === undefined ? {} : { lxcfs }),
    ...(api_tokens === undefined ? {} : { api_tokens }),
  };
}
