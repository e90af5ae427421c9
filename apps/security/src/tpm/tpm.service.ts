/** Whether the TPM will open the system's volumes at the next boot, and what it measured at this one. */
import type { SecureBootEventLog } from '@incusos/contracts/security';
import { LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { FirmwareService, type FirmwareSnapshot } from '../firmware/firmware.service.ts';
import { Warnings } from '../firmware/warnings.ts';
import { predictPcr7, replay } from './pcr.ts';

export type TpmStatus = 'ok' | 'pcr mismatch' | 'swtpm';

/** PCRs whose events are worth showing: boot loader and kernel, Secure Boot, kernel image. */
const shownPcrs: ReadonlySet<number> = new Set([4, 7, 11]);

@Injectable()
export class TpmService {
  private readonly judged = new WeakMap<FirmwareSnapshot, TpmStatus>();
  private readonly warnings: Warnings;

  constructor(
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
    @Inject(LOGGER) logger: Logger,
  ) {
    this.warnings = new Warnings(logger);
  }

  async status(): Promise<TpmStatus> {
    const snapshot = await this.firmware.snapshot();
    const known = this.judged.get(snapshot);
    if (known !== undefined) return known;
    const status = this.judge(snapshot);
    this.judged.set(snapshot, status);
    return status;
  }

  /** The events of this boot with their SHA-256 digests, and the PCRs as they are now. */
  async eventLog(): Promise<SecureBootEventLog> {
    const { eventLog, pcrs } = await this.firmware.snapshot();
    const events = (eventLog?.events ?? []).filter(({ pcr }) => shownPcrs.has(pcr));
    return {
      event_log: events.map(({ pcr, type, data, sha256 }) => ({
        Index: pcr,
        Type: type,
        Data: data.toString('base64'),
        Digest: sha256?.toString('base64') ?? null,
      })),
      pcr4: pcrs.get(4) ?? '',
      pcr7: pcrs.get(7) ?? '',
    };
  }

  private judge({ eventLog, pcrs, softwareTpm, variables }: FirmwareSnapshot): TpmStatus {
    if (softwareTpm) return 'swtpm';
    const actual = pcrs.get(7);
    if (actual === undefined) {
      this.warnings.warn('the machine has no TPM that works');
      return 'pcr mismatch';
    }
    if (eventLog === undefined) return 'ok';
    for (const pcr of [4, 7]) {
      const computed = replay(eventLog.events, pcr);
      const value = pcrs.get(pcr);
      if (computed === value) continue;
      // A log that ends early explains nothing: the PCR itself decides then, at the next unlock.
      this.warnings.warn(
        `computed PCR${pcr} (${computed ?? 'no SHA-256 digests'}) doesn't match actual value (${value ?? 'none'})`,
      );
      if (pcr === 7) return eventLog.problem === undefined && computed !== undefined ? 'pcr mismatch' : 'ok';
    }
    return predictPcr7(eventLog.events, variables) === actual ? 'ok' : 'pcr mismatch';
  }
}
