/** Certificates that clients send as PEM. */
import { X509Certificate } from 'node:crypto';

const begin = /-----BEGIN ([A-Z0-9 ]+)-----/u;

/** Why a text isn't a certificate in PEM. */
export type PemProblem =
  | { readonly kind: 'not-pem' }
  | { readonly kind: 'other-block' }
  | { readonly kind: 'not-valid'; readonly reason: string };

/** The first PEM block of a text as a certificate, or what is wrong with it. */
export function readCertificate(pem: string): X509Certificate | PemProblem {
  const [line, label] = begin.exec(pem) ?? [];
  if (line === undefined || label === undefined) return { kind: 'not-pem' };
  const start = pem.indexOf(line) + line.length;
  const end = pem.indexOf(`-----END ${label}-----`, start);
  const body = end === -1 ? undefined : pem.slice(start, end);
  if (body === undefined || !/^[A-Za-z0-9+/=\s]*$/u.test(body)) return { kind: 'not-pem' };
  if (label !== 'CERTIFICATE') return { kind: 'other-block' };
  const der = Buffer.from(body, 'base64');
  try {
    const certificate = new X509Certificate(der);
    // What follows the certificate in its block would be lost without a word.
    return certificate.raw.equals(der)
      ? certificate
      : { kind: 'not-valid', reason: 'there is something behind the certificate' };
  } catch {
    return { kind: 'not-valid', reason: 'this is not an X.509 certificate' };
  }
}

/** A certificate in the PEM form that everyone writes. */
export function toPem(certificate: X509Certificate): string {
  return certificate.toString();
}

/** SHA-256 of the DER, lower-case hex. */
export function fingerprintOf(certificate: X509Certificate): string {
  return certificate.fingerprint256.replaceAll(':', '').toLowerCase();
}
