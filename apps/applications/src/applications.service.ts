/** The applications of the appliance: what is asked of them, checked first. */
import {
  Application,
  type ApplicationConfig,
  ApplicationIncus,
  type ApplicationIncusConfig,
  ApplicationIncusConfigLXCFS,
  ApplicationOpenFGA,
  type GetApplicationResponse,
  type SetConfigRequest,
} from '@incusos/contracts/applications';
import { type Host, HOST, ProgramError } from '@incusos/host';
import { DomainError, ExclusiveRunner, invalidField, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState, stateFailure } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { catalogueEntry } from './catalogue/catalogue.ts';
import { replacementProblem } from './catalogue/replacement.ts';
import { applyLxcfs } from './incus/lxcfs.ts';
import { type InstalledApplication, InstalledService } from './installed/installed.service.ts';
import {
  type ApplicationRecord,
  APPLICATIONS_STATE,
  type ApplicationsState,
} from './state/applications-state.ts';

/** Time for the reply to reach the caller, who may talk to us through the application. */
const replyMs = 1_000;

@Injectable()
export class ApplicationsService {
  private readonly changes = new ExclusiveRunner();

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(APPLICATIONS_STATE) private readonly state: StateStore<ApplicationsState>,
    @Inject(InstalledService) private readonly installed: InstalledService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @throws DomainError `NOT_FOUND` when it is unknown or not installed. */
  async require(name: string): Promise<InstalledApplication> {
    const application = await this.installed.find(name);
    if (application === undefined) throw new DomainError('NOT_FOUND', 'not found');
    return application;
  }

  async get(name: string): Promise<GetApplicationResponse> {
    const { entry, key, record } = await this.require(name);
    const { pin_current_versions, lxcfs, api_tokens } = record;
    const state = {
      is_primary: entry.primary,
      initialized: record.initialized,
      friendly_version: record.friendly_version,
      version: record.version,
      available_versions: await this.installed.versions(name),
      ...(record.last_restored === undefined ? {} : { last_restored: record.last_restored }),
    };
    switch (key) {
      case 'incus': {
        const config = { pin_current_versions, lxcfs: lxcfs ?? ApplicationIncusConfigLXCFS.create() };
        return { application: { $case: 'incus', value: ApplicationIncus.fromPartial({ state, config }) } };
      }
      case 'openfga': {
        const config = { pin_current_versions, api_tokens: [...(api_tokens ?? [])] };
        return {
          application: { $case: 'openfga', value: ApplicationOpenFGA.fromPartial({ state, config }) },
        };
      }
      default:
        return {
          application: {
            $case: 'plain',
            value: Application.fromPartial({ state, config: { pin_current_versions } }),
          },
        };
    }
  }

  /** @throws DomainError when the application can't be installed on this appliance. */
  async checkInstallation(name: string): Promise<void> {
    if (name === '') throw invalidField('name', 'missing application name');
    const wanted = catalogueEntry(name);
    if (wanted === undefined) throw invalidField('name', `unknown application '${name}'`);
    const present = await this.installed.list();
    if (present.some(({ entry }) => entry.name === name)) throw new DomainError('CONFLICT', 'already exists');
    const primary = present.find(({ entry }) => entry.primary)?.entry;
    if (!wanted.primary || primary === undefined) return;
    if (!primary.name.startsWith('incus') || !name.startsWith('incus')) {
      throw invalidField('name', 'a primary application is already installed');
    }
    const problem = await replacementProblem(primary.name, name, async () => {
      try {
        return (await this.installed.ownVersion(primary)) ?? '';
      } catch (error) {
        if (!(error instanceof ProgramError)) throw error;
        throw new DomainError(
          'OPERATION_FAILED',
          `the version of Incus could not be found out: ${error.message}`,
          { cause: error },
        );
      }
    });
    if (problem !== undefined) throw invalidField('name', problem);
  }

  /** Stored only after it applied. */
  async setConfig({ name, config }: SetConfigRequest): Promise<void> {
    const { key, record } = await this.require(name);
    const kind = key === 'incus' || key === 'openfga' ? key : 'plain';
    if (config !== undefined && config.$case !== kind) {
      throw invalidField('config', `this is not a configuration of the application '${name}'`);
    }
    await this.changes.run(async () => {
      const next = await this.apply(record, config);
      await commitState(this.state, `configuration of ${name}`, (state) => ({
        ...state,
        applications: { ...state.applications, [key]: next },
      }));
    });
  }

  /** Puts back the stored configuration where a change was cut off before it was stored. */
  async applyStored(): Promise<void> {
    const incus = this.state.current.applications['incus'];
    if (incus !== undefined) await applyLxcfs(this.host, incus.lxcfs ?? ApplicationIncusConfigLXCFS.create());
  }

  private async apply(
    record: ApplicationRecord,
    config: SetConfigRequest['config'],
  ): Promise<ApplicationRecord> {
    switch (config?.$case) {
      case 'incus':
        return this.applyIncus(record, config.value);
      case 'openfga':
        if (config.value.api_tokens.length === 0) {
          throw invalidField('config.api_tokens', 'at least one API token must be specified');
        }
        throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
      case 'plain':
        return { ...record, ...pinning(config.value) };
      case undefined:
        return record;
    }
  }

  private async applyIncus(
    record: ApplicationRecord,
    config: ApplicationIncusConfig,
  ): Promise<ApplicationRecord> {
    const lxcfs = config.lxcfs ?? ApplicationIncusConfigLXCFS.create();
    try {
      await applyLxcfs(this.host, lxcfs);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw stateFailure(error);
      throw new DomainError('OPERATION_FAILED', error.stderr === '' ? error.message : error.stderr, {
        cause: error,
      });
    }
    return { ...record, ...pinning(config), lxcfs };
  }

  /** Answers at once; the outcome is in the log. */
  async restart(name: string): Promise<void> {
    const { entry } = await this.require(name);
    setTimeout(() => {
      void this.restartUnits(name, entry.restart);
    }, replyMs);
  }

  private async restartUnits(name: string, units: readonly string[]): Promise<void> {
    const [first, ...others] = units;
    if (first === undefined) return;
    try {
      await this.host.programs.run(['systemctl', 'restart', first, ...others], { timeoutMs: 120_000 });
      this.logger.info('Application was restarted', { name });
    } catch (error) {
      this.logger.error('Application could not be restarted', {
        name,
        error: reasonOf(error),
      });
    }
  }

  /** @returns the version to switch to. @throws DomainError when there is none. */
  async checkSwitch(name: string, version: string): Promise<string> {
    const { record } = await this.require(name);
    const versions = await this.installed.versions(name);
    if (versions.length <= 1) {
      throw invalidField(
        'version',
        'only one version of the application is available locally, cannot switch to a different version',
      );
    }
    if (version !== '') {
      if (versions.includes(version)) return version;
      throw invalidField(
        'version',
        `cannot switch application to version '${version}' because it does not exist locally`,
      );
    }
    const older = versions[versions.indexOf(record.version) - 1];
    if (older === undefined) {
      throw invalidField('version', 'cannot rollback application as no earlier version is available locally');
    }
    return older;
  }
}

function pinning({
  pin_current_versions,
}: ApplicationConfig): Pick<ApplicationRecord, 'pin_current_versions'> {
  return { pin_current_versions };
}
