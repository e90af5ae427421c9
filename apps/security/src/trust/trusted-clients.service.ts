/**
 * The client certificates that may manage the appliance.
 *
 * Invariants: a certificate is known by the SHA-256 of its DER and is there once; whoever watches gets the whole list
 * at once and after every change, the newest only when changes come faster than they are read.
 */
import { X509Certificate } from 'node:crypto';
import type { TrustedClient } from '@incusos/contracts/security';
import { ChangeSignal, DomainError, LOGGER, type Logger } from '@incusos/service';
import type { StateStore } from '@incusos/state';
import { commitState } from '@incusos/state-owner';
import { Inject, Injectable } from '@nestjs/common';
import { fingerprintOf, readCertificate, toPem } from '../certificates/pem.ts';
import { SECURITY_STATE, type SecurityState, type TrustedClientRecord } from '../state/security-state.ts';

/** What a client may do. */
const roles: ReadonlySet<string> = new Set(['admin']);
const maxNameLength = 128;

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
    const client = recordOf(request);
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

function recordOf({
  certificate,
  name,
  role,
}: {
  certificate: string;
  name: string;
  role: string;
}): TrustedClientRecord {
  const found = readCertificate(certificate);
  if (!(found instanceof X509Certificate)) {
    const reason = found.kind === 'not-valid' ? found.reason : 'it is not PEM-encoded';
    throw invalid(`client certificate is not valid: ${reason}`, 'certificate', reason);
  }
  const label = name.trim();
  if (label.length > maxNameLength)
    throw invalid(
      `client name is longer than ${maxNameLength} characters`,
      'name',
      `at most ${maxNameLength} characters`,
    );
  const wanted = role === '' ? 'admin' : role;
  if (!roles.has(wanted))
    throw invalid(`unknown role '${wanted}'`, 'role', `must be one of ${[...roles].join(', ')}`);
  return { fingerprint: fingerprintOf(found), certificate: toPem(found), name: label, role: wanted };
}

function invalid(message: string, field: string, reason: string): DomainError {
  return new DomainError('INVALID_REQUEST', message, { fields: [{ field, reason }] });
}
