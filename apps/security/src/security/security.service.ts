/** The security of the machine as a whole: puts together what the parts know, and changes it in one piece. */
import { createHash } from 'node:crypto';
import type { SystemSecurity, SystemSecurityConfig } from '@incusos/contracts/security';
import { HOST, type Host } from '@incusos/host';
import { DomainError } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { CustomCaService } from '../certificates/custom-ca.service.ts';
import { RecoveryKeysService } from '../encryption/recovery-keys.service.ts';
import { VolumesService } from '../encryption/volumes.service.ts';
import { FirmwareService } from '../firmware/firmware.service.ts';
import { SecureBootService } from '../firmware/secure-boot.service.ts';
import { SECURITY_STATE, type SecurityState, stateDirectory } from '../state/security-state.ts';
import { TpmService } from '../tpm/tpm.service.ts';
import { StorageKeysService } from './storage-keys.service.ts';
import { TrustFuseService } from './trust-fuse.service.ts';

/** The public half of the TPM's authentication key, once one was made. */
const tpmPublicKey = `${stateDirectory}/tpm-auth.pem`;

@Injectable()
export class SecurityService {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(FirmwareService) private readonly firmware: FirmwareService,
    @Inject(SecureBootService) private readonly secureBoot: SecureBootService,
    @Inject(TpmService) private readonly tpm: TpmService,
    @Inject(VolumesService) private readonly volumes: VolumesService,
    @Inject(RecoveryKeysService) private readonly recoveryKeys: RecoveryKeysService,
    @Inject(CustomCaService) private readonly customCa: CustomCaService,
    @Inject(TrustFuseService) private readonly fuse: TrustFuseService,
    @Inject(StorageKeysService) private readonly storageKeys: StorageKeysService,
  ) {}

  async current(): Promise<SystemSecurity> {
    const [volumes, certificates, secureBoot, tpmStatus, trust, keys, publicKey] = await Promise.all([
      this.volumes.states(),
      this.secureBoot.list(),
      this.secureBoot.enabled(),
      this.tpm.status(),
      this.fuse.judge(),
      this.storageKeys.list(),
      this.publicKey(),
    ]);
    const { custom_ca_certs, recovery_keys } = this.state.current;
    return {
      config: { custom_ca_certs: [...custom_ca_certs], encryption_recovery_keys: [...recovery_keys] },
      state: {
        encrypted_volumes: volumes,
        encryption_recovery_keys_retrieved: this.retrieved(keys.pools),
        drive_recovery_keys: keys.drives,
        pool_recovery_keys: keys.pools,
        secure_boot_certificates: certificates,
        secure_boot_enabled: secureBoot,
        system_state_is_trusted: trust.trusted,
        system_state_status: trust.status,
        tpm_status: tpmStatus,
        tpm_public_key: publicKey,
      },
    };
  }

  /**
   * Replaces recovery keys and custom certificate authorities: both or none.
   * @throws DomainError INVALID_REQUEST before anything is changed.
   */
  async replaceConfig({
    encryption_recovery_keys: keys,
    custom_ca_certs: certificates,
  }: SystemSecurityConfig): Promise<void> {
    await this.recoveryKeys.check(keys);
    this.customCa.check(certificates);
    let before: readonly string[] = [];
    await this.recoveryKeys.replace(keys, {
      apply: async () => {
        before = this.state.current.custom_ca_certs;
        await this.customCa.apply(certificates);
      },
      revert: () => this.customCa.apply(before),
      change: (state) => ({ ...state, custom_ca_certs: certificates }),
    });
  }

  /** Whether the operator has all keys that there are now. */
  async keysRetrieved(): Promise<boolean> {
    return this.retrieved((await this.storageKeys.list()).pools);
  }

  /** Notes that the operator has all keys that there are now. */
  async markKeysRetrieved(): Promise<void> {
    const { pools } = await this.storageKeys.list();
    if (this.retrieved(pools)) return;
    const retrieved_pool_keys = Object.values(pools).map((key) => digest(key));
    await commitState(this.state, 'recovery keys retrieved', (state) => ({
      ...state,
      recovery_keys_retrieved: true,
      retrieved_pool_keys,
    }));
  }

  /** A pool made since brings a key that nobody took yet. */
  private retrieved(pools: Readonly<Record<string, string>>): boolean {
    const { recovery_keys_retrieved, retrieved_pool_keys } = this.state.current;
    return (
      recovery_keys_retrieved &&
      Object.values(pools).every((key) => retrieved_pool_keys.includes(digest(key)))
    );
  }

  /**
   * Binds the volumes to the TPM's present state and reboots.
   * @throws DomainError PRECONDITION_FAILED when the TPM opens the volumes as it is.
   */
  async rebindTpm(): Promise<void> {
    const { tpmOpenedVolumes } = await this.firmware.snapshot();
    if (tpmOpenedVolumes) {
      throw new DomainError(
        'PRECONDITION_FAILED',
        'refusing to reset TPM encryption bindings because current state can unlock all volumes',
      );
    }
    await this.recoveryKeys.bindToTpm();
    await this.host.programs.run(['systemctl', 'reboot']);
  }

  private async publicKey(): Promise<string | undefined> {
    return (await this.host.files.exists(tpmPublicKey)) ? this.host.files.readText(tpmPublicKey) : undefined;
  }
}

function digest(key: string): string {
  return createHash('sha256').update(key).digest('hex');
}
