/**
 * What firmware and TPM say of the present boot.
 *
 * Invariants: a snapshot is read as a whole and kept until one of its directories changes; while a directory can't be
 * watched nothing is kept.
 */
import { HOST, type Host, type Watcher } from '@incusos/host';
import { LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type EventLog, parseEventLog } from '../tpm/event-log.ts';
import { efiVariableDirectory, readVariable, type VariableName } from './efi-variables.ts';
import { Warnings } from './warnings.ts';

/** The variables that make up Secure Boot. */
export const secureBootVariables = ['SecureBoot', 'PK', 'KEK', 'db', 'dbx'] as const;

const eventLogPath = '/sys/kernel/security/tpm0/binary_bios_measurements';
const tpmDirectory = '/sys/class/tpm/tpm0';
const pcrDirectory = `${tpmDirectory}/pcr-sha256`;
const softwareTpmState = '/boot/swtpm';

export interface FirmwareSnapshot {
  /** Data of the variables of Secure Boot; empty where firmware has none. */
  readonly variables: ReadonlyMap<VariableName, Buffer>;
  readonly secureBoot: boolean;
  /** Absent when the machine has no TPM, firmware kept no log, or the TPM is a program. */
  readonly eventLog: EventLog | undefined;
  /** Lower-case hex by number, for PCR 4 and 7; empty without a TPM. */
  readonly pcrs: ReadonlyMap<number, string>;
  readonly softwareTpm: boolean;
  /** Early boot noted that the TPM opened the system's volumes. */
  readonly tpmOpenedVolumes: boolean;
}

@Injectable()
export class FirmwareService implements OnModuleDestroy {
  private kept: Promise<FirmwareSnapshot> | undefined;
  private watchers: Watcher[] = [];
  private readonly warnings: Warnings;

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.warnings = new Warnings(logger);
  }

  onModuleDestroy(): void {
    this.unwatch();
  }

  /** The present state. */
  snapshot(): Promise<FirmwareSnapshot> {
    if (this.kept !== undefined) return this.kept;
    // Watching begins before reading, so that no change falls in between.
    const watched = this.watch();
    const reading = this.read();
    if (watched) {
      this.kept = reading;
      reading.catch(() => this.forget(reading));
    }
    return reading;
  }

  /** Has the next {@link FirmwareService.snapshot} read everything again. */
  private forget(snapshot: Promise<FirmwareSnapshot> | undefined): void {
    if (snapshot !== undefined && snapshot !== this.kept) return;
    this.kept = undefined;
    this.unwatch();
  }

  private unwatch(): void {
    for (const watcher of this.watchers) watcher.close();
    this.watchers = [];
  }

  /** @returns whether every directory is watched. */
  private watch(): boolean {
    this.unwatch();
    try {
      for (const directory of [efiVariableDirectory, pcrDirectory]) {
        this.watchers.push(this.host.files.watch(directory, () => this.forget(undefined)));
      }
      return true;
    } catch {
      this.unwatch();
      return false;
    }
  }

  private async read(): Promise<FirmwareSnapshot> {
    const { files } = this.host;
    const [entries, tpmState, eventLog, pcrs, softwareTpmFiles] = await Promise.all([
      Promise.all(
        secureBootVariables.map(async (name): Promise<[VariableName, Buffer]> => [
          name,
          await readVariable(files, name),
        ]),
      ),
      readVariable(files, 'IncusOSTPMState'),
      this.readEventLog(),
      this.readPcrs(),
      files.exists(softwareTpmState),
    ]);
    const variables = new Map(entries);
    return {
      variables,
      secureBoot: variables.get('SecureBoot')?.[0] === 1,
      eventLog,
      pcrs,
      softwareTpm: eventLog === undefined && softwareTpmFiles,
      tpmOpenedVolumes: tpmState.length === 4 && tpmState[3] === 0,
    };
  }

  private async readEventLog(): Promise<EventLog | undefined> {
    try {
      const log = parseEventLog(await this.host.files.readBytes(eventLogPath));
      if (log.problem !== undefined) {
        this.warnings.warn(`the TPM event log is used as far as it can be read: ${log.problem}`);
      }
      return log;
    } catch (error) {
      this.reportUnreadable('the TPM event log', error);
      return undefined;
    }
  }

  private async readPcrs(): Promise<Map<number, string>> {
    const pcrs = new Map<number, string>();
    for (const pcr of [4, 7]) {
      try {
        const value = (await this.host.files.readText(`${pcrDirectory}/${pcr}`)).trim().toLowerCase();
        if (/^[0-9a-f]{64}$/u.test(value)) pcrs.set(pcr, value);
        else this.warnings.warn(`PCR ${pcr} of the TPM has no SHA-256 value`);
      } catch (error) {
        this.reportUnreadable(`PCR ${pcr} of the TPM`, error);
      }
    }
    return pcrs;
  }

  private reportUnreadable(what: string, error: unknown): void {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    this.warnings.warn(code === 'ENOENT' ? `${what} isn't there` : `${what} can't be read (${code})`);
  }
}
