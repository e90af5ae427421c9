import { X509Certificate } from 'node:crypto';
import { invalidField } from '@incusos/service';
import { fingerprintOf, readCertificate, toPem } from '../certificates/pem.ts';
import type { TrustedClientRecord } from '../state/security-state.ts';

/** What a client may do. */
const roles: ReadonlySet<string> = new Set(['admin']);
const maxNameLength = 128;

/**
 * What is remembered of a client that is to be trusted.
 * @throws DomainError INVALID_REQUEST with the field that is wrong.
 */
export function clientRecord({
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
    throw invalidField('certificate', `client certificate is not valid: ${reason}`, reason);
  }
  const label = name.trim();
  if (label.length > maxNameLength)
    throw invalidField(
      'name',
      `client name is longer than ${maxNameLength} characters`,
      `at most ${maxNameLength} characters`,
    );
  const wanted = role === '' ? 'admin' : role;
  if (!roles.has(wanted))
    throw invalidField('role', `unknown role '${wanted}'`, `must be one of ${[...roles].join(', ')}`);
  return { fingerprint: fingerprintOf(found), certificate: toPem(found), name: label, role: wanted };
}
