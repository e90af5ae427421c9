import 'reflect-metadata';
import { generateKeyPairSync, webcrypto } from 'node:crypto';
import { chmodSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BasicConstraintsExtension, X509CertificateGenerator } from '@peculiar/x509';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { keyNames, readKeys, trustNames } from './keys.ts';

const algorithm = { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256' };

/** A key and its certificate in PEM. */
async function pairOf(authority: boolean, notAfter: Date): Promise<{ key: string; certificate: string }> {
  const { privateKey, publicKey } = await webcrypto.subtle.generateKey(
    { ...algorithm, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1]) },
    true,
    ['sign', 'verify'],
  );
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    notBefore: new Date('2020-01-01'),
    notAfter,
    keys: { privateKey, publicKey },
    signingAlgorithm: algorithm,
    extensions: [new BasicConstraintsExtension(authority)],
  });
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', privateKey)).toString('base64');
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`;
  return { key, certificate: certificate.toString('pem') };
}

/** Making a key takes long: the pairs that are as they should be are made once. */
let pairs: readonly { readonly key: string; readonly certificate: string }[] = [];
let authority = '';
let directory = '';
let server: Server | undefined;
const path = (name: string): string => join(directory, name);

beforeAll(async () => {
  const later = new Date('2050-01-01');
  pairs = await Promise.all(keyNames.map(() => pairOf(false, later)));
  authority = (await pairOf(true, later)).certificate;
});
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'keys-'));
  for (const [index, name] of keyNames.entries()) {
    const pair = pairs[index];
    writeFileSync(path(`${name}.key`), pair?.key ?? '', { mode: 0o600 });
    writeFileSync(path(`${name}.crt`), pair?.certificate ?? '');
  }
  for (const name of trustNames) writeFileSync(path(`${name}.pem`), authority);
});
afterEach(() => {
  server?.close();
  server = undefined;
  rmSync(directory, { recursive: true });
});

describe('keys in files', () => {
  it('are named as programs of the build find them', () => {
    expect(readKeys(directory, {})).toEqual({
      directory,
      private: { 'secure-boot': '/keys/secure-boot.key', verity: '/keys/verity.key', pcr: '/keys/pcr.key' },
      inToken: { 'secure-boot': false, verity: false, pcr: false },
      mounts: { '/keys': directory },
      env: {},
    });
  });

  it.each([
    ...keyNames.flatMap((name) => [`${name}.key`, `${name}.crt`]),
    ...trustNames.map((name) => `${name}.pem`),
  ])('are refused without %s, and with nonsense in it, by its name', (name) => {
    writeFileSync(path(name), 'nonsense');
    expect(() => readKeys(directory, {})).toThrow(path(name));
    rmSync(path(name));
    expect(() => readKeys(directory, {})).toThrow(`${path(name)} is missing`);
  });

  it("are refused when a certificate is another key's", () => {
    renameSync(path('verity.crt'), path('pcr.crt'));
    renameSync(path('secure-boot.crt'), path('verity.crt'));
    renameSync(path('pcr.crt'), path('secure-boot.crt'));
    expect(() => readKeys(directory, {})).toThrow(
      `${path('secure-boot.crt')} doesn't belong to ${path('secure-boot.key')}`,
    );
  });

  it('are refused when a certificate has ended', async () => {
    const { key, certificate } = await pairOf(false, new Date('2021-01-01'));
    writeFileSync(path('pcr.key'), key);
    writeFileSync(path('pcr.crt'), certificate);
    expect(() => readKeys(directory, {})).toThrow(`${path('pcr.crt')} is no longer valid`);
  });

  it('are refused when they are not RSA, which the firmware wants', () => {
    const { privateKey } = generateKeyPairSync('ed25519');
    writeFileSync(path('secure-boot.key'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
    expect(() => readKeys(directory, {})).toThrow(`${path('secure-boot.key')} is not an RSA key`);
  });

  it('are refused behind a passphrase', () => {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    writeFileSync(
      path('verity.key'),
      privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' }),
    );
    expect(() => readKeys(directory, {})).toThrow(
      `${path('verity.key')} is no private key in PEM without a passphrase`,
    );
  });

  it('trust only authorities', async () => {
    const { certificate } = await pairOf(false, new Date('2050-01-01'));
    writeFileSync(path('update.pem'), certificate);
    expect(() => readKeys(directory, {})).toThrow(
      `${path('update.pem')} is not the certificate of an authority`,
    );
  });

  it('may be readable by others, with a word about it', () => {
    chmodSync(path('pcr.key'), 0o644);
    expect(readKeys(directory, {}).private.pcr).toBe('/keys/pcr.key');
  });
});

describe('keys in a token', () => {
  const env = (): Record<string, string> => ({ P11_KIT_SERVER_ADDRESS: `unix:path=${path('token/socket')}` });

  function intoToken(name: string): void {
    rmSync(path(`${name}.key`));
    writeFileSync(path(`${name}.uri`), `pkcs11:token=release;object=${name};type=private\n`);
  }

  it("are reached by the socket of p11-kit's server", async () => {
    for (const name of keyNames) intoToken(name);
    const socket = path('socket');
    const listening = createServer();
    server = listening;
    await new Promise<void>((resolve) => listening.listen(socket, resolve));
    const keys = readKeys(directory, { P11_KIT_SERVER_ADDRESS: `unix:path=${socket}` });
    expect(keys.private.verity).toBe('pkcs11:token=release;object=verity;type=private');
    expect(keys.inToken).toEqual({ 'secure-boot': true, verity: true, pcr: true });
    expect(keys.mounts).toEqual({ '/keys': directory, '/run/token': directory });
    expect(keys.env).toMatchObject({ P11_KIT_SERVER_ADDRESS: 'unix:path=/run/token/socket' });
    expect(keys.env['PKCS11_PROVIDER_MODULE']).toMatch(/^\/usr\/lib\/.*p11-kit-client\.so$/u);
  });

  it('are refused without the server', () => {
    intoToken('verity');
    expect(() => readKeys(directory, {})).toThrow('P11_KIT_SERVER_ADDRESS=unix:path=FILE');
    expect(() => readKeys(directory, env())).toThrow(
      `${path('token/socket')}, the socket of p11-kit server, is missing`,
    );
  });

  it('are refused when the URI is none, or when there is a file too', () => {
    intoToken('verity');
    writeFileSync(path('verity.uri'), 'token=release');
    expect(() => readKeys(directory, env())).toThrow(`${path('verity.uri')} holds no PKCS#11 URI`);
    writeFileSync(path('pcr.uri'), 'pkcs11:token=release');
    writeFileSync(path('verity.uri'), 'pkcs11:token=release');
    expect(() => readKeys(directory, env())).toThrow(`${directory} has both pcr.key and pcr.uri`);
  });

  it('hold Secure Boot and PCR key together or neither', () => {
    intoToken('pcr');
    expect(() => readKeys(directory, env())).toThrow('have both in files, or both in a token');
  });
});
