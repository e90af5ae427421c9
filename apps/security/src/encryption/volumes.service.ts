/** The encrypted volumes of the operating system: where they are, and how they were opened at this boot. */
import type { SystemSecurityEncryptedVolume } from '@incusos/contracts/security';
import { HOST, type Host } from '@incusos/host';
import { Inject, Injectable } from '@nestjs/common';
import { FirmwareService } from '../firmware/firmware.service.ts';
import { stateDirectory } from '../state/security-state.ts';
import { TpmService } from '../tpm/tpm.service.ts';

const volumeNames = ['root', 'swap'] as const;

export interface EncryptedVolume {
  readonly name: (typeof volumeNames)[number];
  /** The partition with the LUKS header. */
  readonly device: string;
  /** A key of its own, for this service only (mode 0400). */
  readonly keyFile: string;
}

@Injectable()
export class VolumesService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
    @Inject(TpmService) private readonly tpm: TpmService,
  ) {}

  /** The volumes that this machine has. */
  async present(): Promise<EncryptedVolume[]> {
    const volumes = volumeNames.map((name) => ({
      name,
      device: `/dev/disk/by-partlabel/${name}`,
      keyFile: `${stateDirectory}/recovery.${name}.key`,
    }));
    const there = await Promise.all(volumes.map(({ device }) => this.host.files.exists(device)));
    return volumes.filter((_, index) => there[index] === true);
  }

  /** The volumes and what opened them. */
  async states(): Promise<SystemSecurityEncryptedVolume[]> {
    const [volumes, opened] = await Promise.all([this.present(), this.openedBy()]);
    return Promise.all(
      volumes.map(async ({ name }) => ({
        volume: name,
        state: (await this.host.files.exists(`/dev/mapper/${name}`)) ? opened : 'locked',
      })),
    );
  }

  private async openedBy(): Promise<string> {
    const { tpmOpenedVolumes } = await this.firmware.snapshot();
    if (tpmOpenedVolumes) return 'unlocked (TPM)';
    return (await this.tpm.status()) === 'pcr mismatch'
      ? 'unlocked (TPM; PCR update pending)'
      : 'unlocked (recovery passphrase)';
  }
}
