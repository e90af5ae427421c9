/**
 * The client certificates that may manage the appliance.
 *
 * Invariants: a certificate is known by the SHA-256 of its DER and is there once; whoever watches gets the whole list
 * at once and after every change, the newest only when changes come faster than they are read.
 */
import type { TrustedClient } from '@incusos/contracts/security';
import { ChangeSignal, DomainError, LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { SECURITY_STATE, type SecurityState } from '../state/security-state.ts';
import { clientRecord } from './client-record.ts';

@Injectable()
export class TrustedClientsService {
  private readonly changes = new ChangeSignal();

  constructor(
    @Inject(SECURITY_STATE) private readonly state: StateStore<SecurityState>,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  list(): TrustedClient[] {
    return this.state.current.trusted_clients.map((client) => ({ ...client }));
  }

  /**
   * Trusts a certificate from now on.
   * @throws DomainError INVALID_REQUEST, or CONFLICT when it is trusted already; nothing is changed then.
   */
  async add(request: { certificate: string; name: string; role: string }): Promise<TrustedClient> {
    const client = clientRecord(request);
    await commitState(this.state, `client certificate ${client.fingerprint} trusted`, (state) => {
      if (state.trusted_clients.some(({ fingerprint }) => fingerprint === client.fingerprint)) {
        throw new DomainError('CONFLICT', 'client certificate is already trusted');
      }
      return { ...state, trusted_clients: [...state.trusted_clients, client] };
    });
    this.logger.info('a client certificate is trusted from now on', {
      fingerprint: client.fingerprint,
      name: client.name,
      role: client.role,
    });
    this.changed();
    return { ...client };
  }

  /** The list now and after every change, until `signal` aborts. */
  async *watch(signal: AbortSignal): AsyncGenerator<TrustedClient[]> {
    const list = (): SecurityState['trusted_clients'] => this.state.current.trusted_clients;
    for await (const clients of this.changes.follow(list, signal))
      yield clients.map((client) => ({ ...client }));
  }

  /** Tells whoever watches that the list may have changed. */
  changed(): void {
    this.changes.announce();
  }
}
