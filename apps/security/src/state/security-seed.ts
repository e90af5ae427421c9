/**
 * What the seeds of a machine say about its security: certificate authorities and clients, never keys.
 *
 * Invariant: it counts at the first start only, which the first commit of the state ends.
 */
import { HOST, type Host } from '@incusos/host';
import { openSeeds } from '@incusos/seeds';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { Inject, Injectable } from '@nestjs/common';
import { CustomCaService } from '../certificates/custom-ca.service.ts';
import { seededClients } from '../trust/seeded-clients.ts';
import { SECURITY_STATE, type SecurityState } from './security-state.ts';

@Injectable()
export class SecuritySeed {
  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(CustomCaService) private readonly customCa: CustomCaService,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  /**
   * Takes the seed over into the state of a machine that never had one.
   * @throws StateWriteError when it can't be saved; the next start tries again.
   */
  async follow(): Promise<void> {
    if (this.state.revision > 0 || this.state.problem !== undefined) return;
    const [custom_ca_certs, trusted_clients] = await Promise.all([
      this.certificates(),
      seededClients(this.host, this.logger),
    ]);
    await this.state.commit('first boot', (state) => ({ ...state, custom_ca_certs, trusted_clients }));
    for (const { fingerprint, name } of trusted_clients)
      this.logger.info('a client certificate of the seed is trusted from now on', { fingerprint, name });
  }

  private async certificates(): Promise<readonly string[]> {
    try {
      const seed = await openSeeds(this.host).read('security');
      this.customCa.check(seed?.custom_ca_certs ?? []);
      return seed?.custom_ca_certs ?? [];
    } catch (error) {
      const field =
        error instanceof DomainError ? error.fields[0]?.field.replace(/^config\./u, '') : undefined;
      this.logger.error('the security seed is not used', {
        ...(field === undefined ? {} : { field }),
        error: reasonOf(error),
      });
      return [];
    }
  }
}
