/** What a restored state means for the machine that it is restored on. */
import { DomainError } from '@incusos/service';
import type { ImportContext, StateOwnerHooks } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { CustomCaService } from '../certificates/custom-ca.service.ts';
import { RecoveryKeysService } from '../encryption/recovery-keys.service.ts';
import { TpmService } from '../tpm/tpm.service.ts';
import { TrustedClientsService } from '../trust/trusted-clients.service.ts';
import type { SecurityState } from './security-state.ts';

/** Leaves the passphrases of this machine's volumes as they are. */
const keepKeys = 'encryption-recovery-keys';

@Injectable()
export class SecurityImport implements StateOwnerHooks<SecurityState> {
  constructor(
    @Inject(TpmService) private readonly tpm: TpmService,
    @Inject(RecoveryKeysService) private readonly recoveryKeys: RecoveryKeysService,
    @Inject(CustomCaService) private readonly customCa: CustomCaService,
    @Inject(TrustedClientsService) private readonly clients: TrustedClientsService,
  ) {}

  async transform(
    imported: SecurityState,
    { skip, current }: ImportContext<SecurityState>,
  ): Promise<SecurityState> {
    const status = await this.tpm.status();
    if (status !== 'ok') throw new DomainError('PRECONDITION_FAILED', `TPM status isn't OK: ${status}`);
    const keys = skip.has(keepKeys)
      ? { recovery_keys: current.recovery_keys, keyslots_in_step: current.keyslots_in_step }
      : { recovery_keys: imported.recovery_keys, keyslots_in_step: false };
    if (keys.recovery_keys.length === 0)
      throw new DomainError('INVALID_REQUEST', 'at least one recovery passphrase must be provided');
    const known = new Set(imported.trusted_clients.map(({ fingerprint }) => fingerprint));
    return {
      ...imported,
      ...keys,
      guest_agent_was_enabled: current.guest_agent_was_enabled,
      // Whoever manages the machine now must not be locked out by the restore that they asked for.
      trusted_clients: [
        ...imported.trusted_clients,
        ...current.trusted_clients.filter(({ fingerprint }) => !known.has(fingerprint)),
      ],
    };
  }

  async apply(_previous: Readonly<SecurityState>, next: Readonly<SecurityState>): Promise<void> {
    this.clients.changed();
    await this.customCa.apply(next.custom_ca_certs);
    await this.recoveryKeys.adopt();
  }
}
