/** How this machine proves to a server who it is: by its TPM, which the security service speaks to. */
import type { AuthenticationRegister } from '@incusos/contracts/images';
import type { SecurityServiceService } from '@incusos/contracts/security';
import { DomainError, type ServiceClient } from '@incusos/service';

/** Injects the client of the security service. */
export const SECURITY_CLIENT = Symbol('security-client');

export type SecurityClient = Pick<
  ServiceClient<typeof SecurityServiceService>,
  'generateRegistration' | 'generateToken'
>;

export class MachineIdentity {
  constructor(private readonly security: SecurityClient) {}

  /** What a server is told that gave out a registration token. */
  async registration(token: string, signal: AbortSignal): Promise<AuthenticationRegister> {
    const { registration } = await this.security.generateRegistration({ token }, { signal });
    if (registration === undefined) {
      throw new DomainError('OPERATION_FAILED', 'the security service made no registration');
    }
    return registration;
  }

  /** A token for one request. */
  async token(signal: AbortSignal): Promise<string> {
    return (await this.security.generateToken({}, { signal })).token;
  }
}
