/**
 * Which applications are installed.
 *
 * Invariant: an application is installed when a version of it is recorded, that version's image is on the disk, and
 * the link is there. On a machine without any record, what is found linked is recorded.
 */
import { type Host, HOST } from '@incusos/host';
import { LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { catalogue, catalogueEntry, type CatalogueEntry, stateKey } from '../catalogue/catalogue.ts';
import {
  type ApplicationRecord,
  APPLICATIONS_STATE,
  type ApplicationsState,
} from '../state/applications-state.ts';
import { seededApplications } from './seeded-applications.ts';
import { availableVersions, isLinked, linkedVersion } from './extensions.ts';

export interface InstalledApplication {
  readonly entry: CatalogueEntry;
  /** Its entry in the state. */
  readonly key: string;
  readonly record: ApplicationRecord;
}

@Injectable()
export class InstalledService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(APPLICATIONS_STATE) private readonly state: StateStore<ApplicationsState>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** Sorted by name. */
  async list(): Promise<InstalledApplication[]> {
    const found = await Promise.all(catalogue.map(({ name }) => this.find(name)));
    return found.filter((application) => application !== undefined);
  }

  /** `undefined` when it is unknown or not installed. */
  async find(name: string): Promise<InstalledApplication | undefined> {
    const entry = catalogueEntry(name);
    if (entry === undefined) return undefined;
    const key = stateKey(entry);
    const record = this.state.current.applications[key];
    if (record === undefined || !(await isLinked(this.host.files, name, record.version))) return undefined;
    return { entry, key, record };
  }

  versions(name: string): Promise<string[]> {
    return availableVersions(this.host.files, name);
  }

  /** What the application itself says its version is. @throws ProgramError when it doesn't. */
  async ownVersion({ versionCommand }: CatalogueEntry): Promise<string | undefined> {
    if (versionCommand === undefined) return undefined;
    const { stdout } = await this.host.programs.run(versionCommand, { timeoutMs: 10_000 });
    return stdout.trim();
  }

  /** Records what is linked but was never recorded: the image of an installation carries its applications. */
  async adopt(): Promise<void> {
    // An appliance always has a primary application: an empty record is one that was never made, or was reset.
    if (Object.keys(this.state.current.applications).length > 0 || this.state.problem !== undefined) return;
    const applications: Record<string, ApplicationRecord> = {};
    for (const entry of catalogue) {
      const version = await linkedVersion(this.host.files, entry.name);
      if (version === undefined) continue;
      applications[stateKey(entry)] = {
        version,
        initialized: entry.data !== undefined && (await this.host.files.exists(entry.data)),
        friendly_version: await this.friendlyVersion(entry, version),
        pin_current_versions: false,
      };
    }
    const wanted = await this.wanted();
    if (Object.keys(applications).length === 0 && wanted.length === 0) return;
    await commitState(this.state, 'applications found on the disk', () => ({ applications, wanted }));
    this.logger.info('Applications were found on the disk', { names: Object.keys(applications).join(', ') });
  }

  private async wanted(): Promise<readonly string[]> {
    try {
      return await seededApplications(this.host);
    } catch (error) {
      this.logger.error('The applications seed is not used', {
        error: reasonOf(error),
      });
      return [];
    }
  }

  private async friendlyVersion(entry: CatalogueEntry, release: string): Promise<string> {
    const own = await this.ownVersion(entry).catch(() => undefined);
    return own === undefined || own === '' ? release : `${own} [${release}]`;
  }
}
