/** Certificates that clients send as PEM. */
import { X509Certificate } from 'node:crypto';

const block = /-----BEGIN ([A-Z0-9 ]+)-----\s*([A-Za-z0-9+/=\s]*?)\s*-----END \1-----/u;

/** Why a text isn't a certificate in PEM. */
export type PemProblem = { readonly kind: 'not-pem' } | { readonly kind: 'other-block' } | { readonly kind: 'not-valid'; readonly reason: string };

/** The first PEM block of a text as a certificate, or what is wrong with it. */
export function readCertificate(pem: string): X509Certificate | PemProblem {
  const found = block.exec(pem);
  if (found === null) return { kind: 'not-pem' };
  if (found[1] !== 'CERTIFICATE') return { kind: 'other-block' };
  const der = Buffer.from(found[2] ?? '', 'base64');
  try {
    const certificate = new X509Certificate(der);
    // What follows the certificate in its block would be lost without a word.
    return certificate.raw.equals(der) ? certificate : { kind: 'not-valid', reason: 'there is something behind the certificate' };
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
