/** Certificates for tests, as an operator has them. */
import { webcrypto } from 'node:crypto';

export interface TestCertificates {
  readonly certificate: string;
  readonly key: string;
  readonly authority: string;
}

/** A client certificate with its key, and the authority that signed it, in PEM. */
export async function makeCertificates(): Promise<TestCertificates> {
  await import('reflect-metadata');
  const { PemConverter, X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const pair = () => webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const [authorityKeys, keys] = await Promise.all([pair(), pair()]);
  const authority = await X509CertificateGenerator.createSelfSigned(
    { name: 'CN=authority', keys: authorityKeys, signingAlgorithm: algorithm },
    webcrypto,
  );
  const certificate = await X509CertificateGenerator.create(
    {
      subject: 'CN=chassis',
      issuer: authority.subject,
      publicKey: keys.publicKey,
      signingKey: authorityKeys.privateKey,
      signingAlgorithm: algorithm,
    },
    webcrypto,
  );
  const key = PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey), 'PRIVATE KEY');
  return { certificate: certificate.toString('pem'), key, authority: authority.toString('pem') };
}
