/** Makes a self-signed server certificate; apart, since its libraries are needed only on the first start. */
import 'reflect-metadata';
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
} from 'node:crypto';
import { hostname } from 'node:os';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import type { ServerIdentity } from '../listeners/https-listener.ts';

const day = 24 * 60 * 60 * 1000;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;

/**
 * A certificate for this host, valid for ten years as those of Incus are.
 * @param existingKey PEM of the key to use; a new P-256 key unless given.
 */
export async function selfSigned(existingKey?: string): Promise<ServerIdentity> {
  const privateKey =
    existingKey === undefined
      ? generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
      : createPrivateKey(existingKey);
  const name = hostname();
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      name: [{ O: ['IncusOS'] }, { CN: [name] }],
      serialNumber: randomBytes(16).toString('hex'),
      // Appliances often start with a clock that is behind.
      notBefore: new Date(Date.now() - day),
      notAfter: new Date(Date.now() + 3650 * day),
      signingAlgorithm: algorithm,
      keys: {
        privateKey: await asCryptoKey(privateKey, 'sign'),
        publicKey: await asCryptoKey(createPublicKey(privateKey), 'verify'),
      },
      extensions: [
        new BasicConstraintsExtension(false, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
        new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
        new SubjectAlternativeNameExtension([
          ...[...new Set(['localhost', name])].map((value) => ({ type: 'dns' as const, value })),
          { type: 'ip', value: '127.0.0.1' },
          { type: 'ip', value: '::1' },
        ]),
      ],
    },
    webcrypto,
  );
  return {
    certificate: `${certificate.toString('pem')}\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  };
}

function asCryptoKey(key: KeyObject, usage: 'sign' | 'verify'): Promise<webcrypto.CryptoKey> {
  const format = usage === 'sign' ? 'pkcs8' : 'spki';
  return webcrypto.subtle.importKey(format, key.export({ type: format, format: 'der' }), algorithm, true, [
    usage,
  ]);
}
