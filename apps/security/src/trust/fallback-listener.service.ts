/** The settings of the listener by which the appliance stays reachable when its primary application is not. */
import { X509Certificate } from 'node:crypto';
import type { SystemFallbackListener, SystemFallbackListenerConfig } from '@incusos/contracts/security';
import { invalidField } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { readCertificate } from '../certificates/pem.ts';
import { SECURITY_STATE, type SecurityState } from '../state/security-state.ts';
import { listenAddressProblem } from './listen-address.ts';

const certificates = 'config.trusted_client_certificates';

@Injectable()
export class FallbackListenerService {
  constructor(@Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>) {}

  current(): SystemFallbackListener {
    const { listen_address, trusted_client_certificates, persistent } = this.state.current.fallback_listener;
    return {
      config: { listen_address, trusted_client_certificates: [...trusted_client_certificates], persistent },
      // Whoever listens is another process; until it says so here, nothing does.
      state: { active: false },
    };
  }

  /** @throws DomainError INVALID_REQUEST with the field that is wrong; nothing is changed then. */
  async replace(config: SystemFallbackListenerConfig): Promise<void> {
    check(config);
    const { listen_address, trusted_client_certificates, persistent } = config;
    await commitState(this.state, 'fallback listener configured', (state) => ({
      ...state,
      fallback_listener: {
        ...(listen_address === undefined || listen_address === '' ? {} : { listen_address }),
        trusted_client_certificates,
        persistent,
      },
    }));
  }
}

function check({ listen_address, trusted_client_certificates }: SystemFallbackListenerConfig): void {
  if (listen_address !== undefined && listen_address !== '') {
    const problem = listenAddressProblem(listen_address);
    if (problem !== undefined)
      throw invalidField('config.listen_address', `invalid listen address: ${problem}`, problem);
  }
  if (trusted_client_certificates.length === 0) {
    throw invalidField(
      certificates,
      'at least one trusted client TLS certificate must be defined',
      'must not be empty',
    );
  }
  for (const [index, pem] of trusted_client_certificates.entries()) {
    const found = readCertificate(pem);
    if (found instanceof X509Certificate) continue;
    const field = `${certificates}[${index}]`;
    if (found.kind !== 'not-valid')
      throw invalidField(
        field,
        `certificate at index ${index} is not PEM-encoded`,
        'must be a certificate in PEM',
      );
    throw invalidField(field, `certificate at index ${index} is not valid: ${found.reason}`, found.reason);
  }
}
