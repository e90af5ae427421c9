import { HOST, type Host, openHost } from '@incusos/host';
import { attempt, LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { provideStateOwner } from '@incusos/state-owner';
import { type DynamicModule, Inject, Module, type OnApplicationBootstrap } from '@nestjs/common';
import { CustomCaService } from './certificates/custom-ca.service.ts';
import { KeyslotsService } from './encryption/keyslots.service.ts';
import { RecoveryKeysService } from './encryption/recovery-keys.service.ts';
import { VolumesService } from './encryption/volumes.service.ts';
import { FirmwareService } from './firmware/firmware.service.ts';
import { SecureBootService } from './firmware/secure-boot.service.ts';
import { SecurityController } from './security/security.controller.ts';
import { SecurityService } from './security/security.service.ts';
import { StorageKeysService } from './security/storage-keys.service.ts';
import { TrustFuseService } from './security/trust-fuse.service.ts';
import { SecurityImport } from './state/security-import.ts';
import { SecuritySeed } from './state/security-seed.ts';
import { openSecurityState, SECURITY_STATE, type SecurityState } from './state/security-state.ts';
import { TpmService } from './tpm/tpm.service.ts';
import { FallbackListenerService } from './trust/fallback-listener.service.ts';
import { TrustController } from './trust/trust.controller.ts';
import { TrustedClientsService } from './trust/trusted-clients.service.ts';

/** Secure Boot, TPM, disk encryption, certificate authorities and trusted clients of one machine. */
@Module({})
export class SecurityModule implements OnApplicationBootstrap {
  constructor(
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(TrustFuseService) private readonly fuse: TrustFuseService,
    @Inject(SecuritySeed) private readonly seed: SecuritySeed,
    @Inject(CustomCaService) private readonly customCa: CustomCaService,
    @Inject(RecoveryKeysService) private readonly recoveryKeys: RecoveryKeysService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /** @param open the machine; the one this process runs on unless given. */
  static on(open: () => Promise<Host> = openHost): DynamicModule {
    return {
      module: SecurityModule,
      providers: [
        { provide: HOST, useFactory: open },
        { provide: SECURITY_STATE, inject: [HOST], useFactory: openSecurityState },
        FirmwareService,
        SecureBootService,
        TpmService,
        VolumesService,
        KeyslotsService,
        RecoveryKeysService,
        CustomCaService,
        SecuritySeed,
        TrustFuseService,
        StorageKeysService,
        SecurityService,
        SecurityController,
        FallbackListenerService,
        TrustedClientsService,
        TrustController,
        SecurityImport,
        // The volumes' own keys stay out of backups: they open nothing but the volumes they were made for.
        ...provideStateOwner({ service: 'security', store: SECURITY_STATE, hooks: SecurityImport }),
      ],
    };
  }

  /** Brings the machine in step with the state. What fails leaves the service readable, and is said in the log. */
  async onApplicationBootstrap(): Promise<void> {
    await attempt(this.logger, 'the security seed could not be taken over', () => this.seed.follow());
    await Promise.all([
      attempt(this.logger, 'the trust in this machine could not be judged', () => this.fuse.start()),
      attempt(this.logger, 'the custom certificate authorities could not be put in place', () =>
        this.customCa.apply(this.state.current.custom_ca_certs),
      ),
    ]);
    await this.recoveryKeys.start();
  }
}
