/**
 * Where the journal is forwarded to.
 *
 * Invariants: stored only after it applied; when it doesn't apply, the configuration in force is put back. The key of
 * journal upload is a file next to the state that a commit refers to, so the state and its key change as one.
 */
import { createHash } from 'node:crypto';
import {
  SystemLogging,
  SystemLoggingConfig,
  SystemLoggingJournalUpload,
  SystemLoggingSyslog,
} from '@incusos/contracts/system';
import { type Host, HOST, ProgramError } from '@incusos/host';
import { DomainError, ExclusiveRunner, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { stateFailure } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import {
  journalUploadKeyFile,
  stateDirectory,
  SYSTEM_STATE,
  type SystemState,
} from '../state/system-state.ts';
import {
  type LoggingFile,
  netlogdConfig,
  netlogdFile,
  netlogdUnit,
  uploadFiles,
  unitDirectory,
  uploadPaths,
  uploadUnit,
} from './logging-files.ts';
import { checkLoggingConfig } from './logging-rules.ts';

@Injectable()
export class LoggingService {
  private readonly changes = new ExclusiveRunner();

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SYSTEM_STATE) private readonly state: StateStore<SystemState>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  async get(): Promise<SystemLogging> {
    return SystemLogging.create({ config: await this.stored(), state: {} });
  }

  /** @throws DomainError `INVALID_REQUEST` for a wrong configuration, `OPERATION_FAILED` when it could not be applied. */
  set(config: SystemLoggingConfig, signal: AbortSignal): Promise<void> {
    checkLoggingConfig(config);
    const wanted = SystemLoggingConfig.fromPartial({
      syslog: config.syslog ?? SystemLoggingSyslog.create(),
      journal_upload: config.journal_upload ?? SystemLoggingJournalUpload.create(),
    });
    return this.changes.run(async () => {
      const previous = await this.stored();
      try {
        await this.apply(wanted);
        await this.save(wanted);
      } catch (error) {
        await this.apply(previous).catch((second: unknown) => {
          const why = reasonOf(second);
          this.logger.error('The previous logging configuration could not be put back', { error: why });
        });
        throw error;
      }
    }, signal);
  }

  /** What a boot has to do again. */
  async applyStored(): Promise<void> {
    await this.apply(await this.stored());
  }

  /** The configuration in force with the key in its place. */
  private async stored(): Promise<SystemLoggingConfig> {
    const { logging, journal_upload_key } = this.state.current;
    const journal_upload = SystemLoggingJournalUpload.fromPartial(logging.journal_upload ?? {});
    if (journal_upload_key !== undefined) {
      const path = `${stateDirectory}/${journal_upload_key}`;
      const key = await this.host.files.readText(path).catch(() => undefined);
      if (key === undefined) {
        this.logger.warn(
          'The key of journal upload is gone, so no client certificate is shown to its server',
          { path },
        );
      }
      journal_upload.tls_client_certificate = key === undefined ? '' : journal_upload.tls_client_certificate;
      journal_upload.tls_client_key = key ?? '';
    }
    return SystemLoggingConfig.fromPartial({
      syslog: logging.syslog ?? SystemLoggingSyslog.create(),
      journal_upload,
    });
  }

  private async save(config: SystemLoggingConfig): Promise<void> {
    const { files } = this.host;
    const key = config.journal_upload?.tls_client_key ?? '';
    const name =
      key === ''
        ? undefined
        : `journal-upload-${createHash('sha256').update(key).digest('hex').slice(0, 16)}.key`;
    try {
      if (name !== undefined) await files.writeAtomic(`${stateDirectory}/${name}`, key, { mode: 0o600 });
      const logging = SystemLoggingConfig.fromPartial({
        ...config,
        journal_upload: { ...config.journal_upload, tls_client_key: '' },
      });
      await this.state.commit('logging configuration', ({ kernel, usbip }) => ({
        kernel,
        usbip,
        logging,
        ...(name === undefined ? {} : { journal_upload_key: name }),
      }));
      await removeUnusedKeys(this.host, this.state);
    } catch (error) {
      throw stateFailure(error);
    }
  }

  private async apply({ syslog, journal_upload }: SystemLoggingConfig): Promise<void> {
    try {
      if (syslog === undefined || syslog.address === '') await this.forward(netlogdUnit, [netlogdFile], []);
      else
        await this.forward(
          netlogdUnit,
          [netlogdFile],
          [{ path: netlogdFile, content: netlogdConfig(syslog) }],
        );
      const upload =
        journal_upload === undefined || journal_upload.url === '' ? [] : uploadFiles(journal_upload);
      await this.forward(uploadUnit, uploadPaths, upload);
    } catch (error) {
      if (!(error instanceof ProgramError)) throw stateFailure(error);
      throw new DomainError('OPERATION_FAILED', error.stderr === '' ? error.message : error.stderr, {
        cause: error,
      });
    }
  }

  /** Gives a daemon its files and restarts it; without files it is stopped. One that has them already is left alone. */
  private async forward(
    unit: string,
    paths: readonly string[],
    wanted: readonly LoggingFile[],
  ): Promise<void> {
    const { files, programs } = this.host;
    let changed = false;
    let unitChanged = false;
    for (const path of paths) {
      const present = await files.readText(path).catch(() => undefined);
      const file = wanted.find((other) => other.path === path);
      if (present === file?.content) continue;
      changed = true;
      unitChanged ||= path.startsWith(unitDirectory);
      if (file === undefined) await files.remove(path);
      else await files.writeAtomic(path, file.content, { mode: file.secret === true ? 0o600 : 0o644 });
    }
    const { exitCode } = await programs.run(['systemctl', 'is-active', '--quiet', unit], {
      acceptExitCodes: 'any',
    });
    const active = exitCode === 0;
    if (wanted.length === 0) {
      if (active) await programs.run(['systemctl', 'stop', unit]);
      return;
    }
    if (!changed && active) return;
    // It takes systemd seconds, in which it does nothing else.
    if (unitChanged) await programs.run(['systemctl', 'daemon-reload']);
    await programs.run(['systemctl', 'restart', unit]);
  }
}

/** A key that the state doesn't refer to any more would only be a risk. */
export async function removeUnusedKeys(host: Host, state: StateStore<SystemState>): Promise<void> {
  const kept = new Set([state.current.journal_upload_key]);
  for (const name of await host.files.list(stateDirectory)) {
    if (journalUploadKeyFile.test(name) && !kept.has(name))
      await host.files.remove(`${stateDirectory}/${name}`);
  }
}
