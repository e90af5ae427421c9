/**
 * The keyslots of the system's volumes.
 *
 * Invariants: every volume keeps a passphrase that opens it at every moment, since new ones are added before old ones
 * go; each step can be repeated; the TPM's slot and this service's own key are never touched by a change of passphrases.
 */
import { HOST, type Host, ProgramError, type RunResult } from '@incusos/host';
import { DomainError } from '@incusos/service';
import { Inject, Injectable } from '@nestjs/common';
import { FirmwareService } from '../firmware/firmware.service.ts';
import * as luks from './luks.ts';
import { type EncryptedVolume, VolumesService } from './volumes.service.ts';

/** Each try of a passphrase takes seconds on purpose, and a header has up to 32 of them to try. */
const timeoutMs = 120_000;

const noMeasurements = '0'.repeat(64);

@Injectable()
export class KeyslotsService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(VolumesService) private readonly volumes: VolumesService,
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
  ) {}

  /**
   * Gives every volume that has none a key for this service's own use, unlocking it with the TPM, and binds the TPM's
   * slot to the state in which nothing was opened yet (PCR 15).
   * @returns the volumes that got one.
   */
  async ensureOwnKeys(): Promise<string[]> {
    const made: string[] = [];
    for (const volume of await this.volumes.present()) {
      if (await this.host.files.exists(volume.keyFile)) continue;
      const { stdout } = await this.run(luks.enrollRecoveryKey(volume.device));
      await this.host.files.writeAtomic(volume.keyFile, stdout.trim(), { mode: 0o400 });
      await this.bind(volume);
      made.push(volume.name);
    }
    return made;
  }

  /** Binds every volume to the TPM's present state. */
  async bindToTpm(): Promise<void> {
    for (const volume of await this.volumes.present()) await this.bind(volume);
  }

  /** Adds passphrases to every volume and then removes others. */
  async change(add: readonly string[], remove: readonly string[]): Promise<void> {
    const volumes = await this.volumes.present();
    for (const volume of volumes) {
      for (const passphrase of add) await this.run(luks.addKey(volume.device, volume.keyFile), passphrase);
    }
    for (const volume of volumes) {
      for (const passphrase of remove)
        await this.run(luks.removeKey(volume.device), passphrase, [0, luks.noKeyAvailable]);
    }
  }

  /** Makes every volume hold exactly these passphrases, whatever it holds now. */
  async settle(passphrases: readonly string[]): Promise<void> {
    for (const volume of await this.volumes.present()) await this.settleVolume(volume, passphrases);
  }

  private async settleVolume(volume: EncryptedVolume, passphrases: readonly string[]): Promise<void> {
    const { device, keyFile } = volume;
    const wanted = new Set<string>();
    for (const passphrase of passphrases) {
      if ((await this.slotOf(device, passphrase)) === undefined)
        await this.run(luks.addKey(device, keyFile), passphrase);
      const slot = await this.slotOf(device, passphrase);
      if (slot !== undefined) wanted.add(slot);
    }
    const { stdout } = await this.run(luks.dumpHeader(device));
    for (const slot of luks.passphraseSlots(stdout)) {
      if (!wanted.has(slot)) await this.run(luks.killSlot(device, keyFile, slot));
    }
  }

  private async slotOf(device: string, passphrase: string): Promise<string | undefined> {
    const { stdout } = await this.run(luks.findKey(device), passphrase, [0, luks.noKeyAvailable]);
    return luks.foundSlot(stdout);
  }

  private async bind({ device, keyFile }: EncryptedVolume): Promise<void> {
    const { pcrs, secureBoot } = await this.firmware.snapshot();
    const values = new Map<number, string>();
    // Without Secure Boot nothing but the measurement of its code ties the boot loader.
    for (const pcr of secureBoot ? [7] : [4, 7]) {
      const value = pcrs.get(pcr);
      if (value === undefined)
        throw new DomainError('PRECONDITION_FAILED', `PCR ${pcr} of the TPM can't be read`);
      values.set(pcr, value);
    }
    values.set(15, noMeasurements);
    const { stderr } = await this.run(luks.bindTpm(device, keyFile, values));
    if (!stderr.includes(luks.alreadyBound)) return;
    // An exchanged TPM measures the same values but can't open what the old one sealed: only another binding in
    // between makes the tool seal anew.
    await this.run(luks.bindTpm(device, keyFile, new Map([...values, [7, 'f'.repeat(64)]])));
    await this.run(luks.bindTpm(device, keyFile, values));
  }

  private async run(
    argv: luks.Argv,
    stdin?: string,
    acceptExitCodes: readonly number[] = [0],
  ): Promise<RunResult> {
    try {
      return await this.host.programs.run(argv, {
        timeoutMs,
        acceptExitCodes,
        ...(stdin === undefined ? {} : { stdin }),
      });
    } catch (error) {
      if (!(error instanceof ProgramError)) throw error;
      throw new DomainError(
        'OPERATION_FAILED',
        `the keys of an encrypted volume could not be changed: ${error.message}`,
        { cause: error },
      );
    }
  }
}
