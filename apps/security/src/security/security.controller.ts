import {
  type GenerateRegistrationRequest,
  type GenerateRegistrationResponse,
  type GenerateTokenResponse,
  type GetEventLogResponse,
  type GetRecoveryKeyStatusResponse,
  type GetSecureBootCertificatesResponse,
  type GetSecurityResponse,
  type MarkRecoveryKeysRetrievedResponse,
  type RebindTpmResponse,
  SecurityServiceService,
  type SetConfigRequest,
  type SetConfigResponse,
  SystemSecurityConfig,
  type UpdateSecureBootResponse,
} from '@incusos/contracts/security';
import { DomainError, GrpcController, type ServiceHandlers } from '@incusos/service';
import { Inject } from '@nestjs/common';
import { SecureBootService } from '../firmware/secure-boot.service.ts';
import { TpmService } from '../tpm/tpm.service.ts';
import { SecurityService } from './security.service.ts';

/** Answers `incusos.security.v1.SecurityService`. */
@GrpcController(SecurityServiceService)
export class SecurityController implements ServiceHandlers<typeof SecurityServiceService> {
  constructor(
    @Inject(SecurityService) private readonly security: SecurityService,
    @Inject(SecureBootService) private readonly secureBoot: SecureBootService,
    @Inject(TpmService) private readonly tpm: TpmService,
  ) {}

  async getSecurity(): Promise<GetSecurityResponse> {
    return { security: await this.security.current() };
  }

  async setConfig({ config }: SetConfigRequest): Promise<SetConfigResponse> {
    await this.security.replaceConfig(config ?? SystemSecurityConfig.create());
    return {};
  }

  async markRecoveryKeysRetrieved(): Promise<MarkRecoveryKeysRetrievedResponse> {
    await this.security.markKeysRetrieved();
    return {};
  }

  async getRecoveryKeyStatus(): Promise<GetRecoveryKeyStatusResponse> {
    return { retrieved: await this.security.keysRetrieved() };
  }

  async rebindTpm(): Promise<RebindTpmResponse> {
    await this.security.rebindTpm();
    return {};
  }

  async getEventLog(): Promise<GetEventLogResponse> {
    return { log: await this.tpm.eventLog() };
  }

  async updateSecureBoot(): Promise<UpdateSecureBootResponse> {
    if (!(await this.secureBoot.enabled())) {
      throw new DomainError(
        'INVALID_REQUEST',
        'cannot apply certificate update when Secure Boot is disabled',
      );
    }
    throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
  }

  async getSecureBootCertificates(): Promise<GetSecureBootCertificatesResponse> {
    return { certificates: await this.secureBoot.export() };
  }

  generateRegistration({ token }: GenerateRegistrationRequest): GenerateRegistrationResponse {
    if (token === '') {
      throw new DomainError('INVALID_REQUEST', 'missing registration token', {
        fields: [{ field: 'token', reason: 'must not be empty' }],
      });
    }
    throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
  }

  /** No certificate of a recipient is part of this image, without which there is nobody to make a token for. */
  generateToken(): GenerateTokenResponse {
    throw new DomainError(
      'NOT_IMPLEMENTED',
      "authentication token generation isn't supported on this system",
    );
  }
}
