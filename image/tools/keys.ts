/**
 * The keys that sign the image. A directory given by the caller has to hold them all; without one, keys for development
 * are made once, for this checkout only.
 *
 * A private key is a file (`NAME.key`, PEM) or in a token (`NAME.uri`, a PKCS#11 URI of RFC 7512). A token is reached
 * by way of `p11-kit server`, so that its driver stays on the machine that has it.
 */
import { createPrivateKey, X509Certificate } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { logOf } from './cache.ts';
import { inside } from './roots.ts';
import { say, UserError } from './sentence.ts';

/** `secure-boot` signs boot loader, kernel and modules; `verity` the root hash; `pcr` what the TPM should measure. */
export const keyNames = ['secure-boot', 'verity', 'pcr'] as const;
export type KeyName = (typeof keyNames)[number];
/** Authorities whose releases the image trusts, in PEM. */
export const trustNames = ['root', 'update'] as const;

/** The keys of a directory, and how programs in the tools root get at them. */
export interface Keys {
  readonly directory: string;
  /** By what a program inside names the private key: a path or a PKCS#11 URI. */
  readonly private: Readonly<Record<KeyName, string>>;
  readonly inToken: Readonly<Record<KeyName, boolean>>;
  readonly mounts: Readonly<Record<string, string>>;
  readonly env: Readonly<Record<string, string>>;
}

/** Where the directory is for programs in the tools root. */
const insideDirectory = '/keys';
/** Below /run, which mkosi lends to programs that sign with a token. */
const insideToken = '/run/token';
const clientModule = 'usr/lib/{triplet}/pkcs11/p11-kit-client.so';
const triplets: Readonly<Record<string, string>> = { x64: 'x86_64-linux-gnu', arm64: 'aarch64-linux-gnu' };

/** Makes what is missing in the directory of the keys for development. */
export async function makeDevelopmentKeys(tools: string, directory: string): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  for (const name of keyNames) {
    if (existsSync(join(directory, `${name}.key`)) && existsSync(join(directory, `${name}.crt`))) continue;
    say(`making the development key ${name} …`);
    await makeKey(tools, directory, name, 'digitalSignature');
  }
  for (const name of trustNames) {
    if (existsSync(join(directory, `${name}.pem`))) continue;
    say(`making the development authority ${name} …`);
    // The authority of updates is one that the root vouches for.
    const issuer = name === 'root' ? [] : ['-CA', '/keys/root.pem', '-CAkey', '/keys/root.key'];
    await makeKey(tools, directory, name, 'keyCertSign', issuer);
    renameSync(join(directory, `${name}.crt`), join(directory, `${name}.pem`));
  }
}

/**
 * Reads the keys of a directory.
 * @throws UserError naming the file that is missing or wrong.
 */
export function readKeys(directory: string, env: Readonly<Record<string, string | undefined>>): Keys {
  const uris = new Map<KeyName, string>();
  for (const name of keyNames) {
    const uri = readPair(directory, name);
    if (uri !== undefined) uris.set(name, uri);
  }
  for (const name of trustNames) {
    const path = join(directory, `${name}.pem`);
    if (!readCertificate(path).ca) throw new UserError(`${path} is not the certificate of an authority.`);
  }
  const perKey = <T>(value: (name: KeyName) => T): Record<KeyName, T> => ({
    'secure-boot': value('secure-boot'),
    verity: value('verity'),
    pcr: value('pcr'),
  });
  if (uris.has('secure-boot') !== uris.has('pcr'))
    throw new UserError(
      `${directory}: mkosi signs with secure-boot and pcr alike; have both in files, or both in a token.`,
    );
  const token = uris.size === 0 ? undefined : tokenServer(directory, env);
  return {
    directory,
    private: perKey((name) => uris.get(name) ?? `${insideDirectory}/${name}.key`),
    inToken: perKey((name) => uris.has(name)),
    mounts: {
      [insideDirectory]: directory,
      ...(token === undefined ? {} : { [insideToken]: dirname(token) }),
    },
    env:
      token === undefined
        ? {}
        : {
            P11_KIT_SERVER_ADDRESS: `unix:path=${insideToken}/${basename(token)}`,
            PKCS11_PROVIDER_MODULE: `/${clientModule.replace('{triplet}', triplets[process.arch] ?? process.arch)}`,
          },
  };
}

/**
 * Checks a key and its certificate.
 * @returns the key's PKCS#11 URI when it is in a token.
 */
function readPair(directory: string, name: KeyName): string | undefined {
  const [key, uri, certificate] = ['key', 'uri', 'crt'].map((kind) => join(directory, `${name}.${kind}`)) as [
    string,
    string,
    string,
  ];
  const x509 = readCertificate(certificate);
  if (Date.parse(x509.validTo) < Date.now())
    throw new UserError(`${certificate} is no longer valid: it ended ${x509.validTo}.`);
  if (existsSync(uri)) {
    if (existsSync(key)) throw new UserError(`${directory} has both ${name}.key and ${name}.uri.`);
    const text = readFileSync(uri, 'utf8').trim();
    if (!/^pkcs11:[^\s]+$/u.test(text))
      throw new UserError(`${uri} holds no PKCS#11 URI, such as pkcs11:token=incusos;object=${name}.`);
    return text;
  }
  if (!existsSync(key))
    throw new UserError(`${key} is missing: the private key, or ${name}.uri for one in a token.`);
  const pair = readPrivateKey(key);
  if (pair.asymmetricKeyType !== 'rsa') throw new UserError(`${key} is not an RSA key.`);
  if (!x509.checkPrivateKey(pair)) throw new UserError(`${certificate} doesn't belong to ${key}.`);
  if ((statSync(key).mode & 0o077) !== 0) say(`${key} can be read by others; chmod 600 it.`);
  return undefined;
}

function readPrivateKey(path: string): ReturnType<typeof createPrivateKey> {
  try {
    return createPrivateKey(readFileSync(path));
  } catch (error) {
    throw new UserError(`${path} is no private key in PEM without a passphrase: ${messageOf(error)}`);
  }
}

function readCertificate(path: string): X509Certificate {
  if (!existsSync(path)) throw new UserError(`${path} is missing: a certificate in PEM.`);
  try {
    return new X509Certificate(readFileSync(path));
  } catch (error) {
    throw new UserError(`${path} is no certificate in PEM: ${messageOf(error)}`);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The socket of the server that has the token. */
function tokenServer(directory: string, env: Readonly<Record<string, string | undefined>>): string {
  const address = env['P11_KIT_SERVER_ADDRESS'] ?? '';
  const path = /^unix:path=(?<path>\/[^;]+)$/u.exec(address)?.groups?.['path'];
  if (path === undefined)
    throw new UserError(
      `${directory} has keys in a token: start p11-kit server and set P11_KIT_SERVER_ADDRESS=unix:path=FILE.`,
    );
  if (!existsSync(path) || !statSync(path).isSocket())
    throw new UserError(`${path}, the socket of p11-kit server, is missing.`);
  return path;
}

async function makeKey(
  tools: string,
  directory: string,
  name: string,
  usage: string,
  issuer: readonly string[] = [],
): Promise<void> {
  const authority = usage === 'keyCertSign' ? 'TRUE' : 'FALSE';
  const options = ['-newkey', 'rsa:2048', '-noenc', '-sha256', '-days', '3650'];
  const extensions = ['-addext', `keyUsage=critical,${usage}`, '-addext', `basicConstraints=CA:${authority}`];
  await inside(
    tools,
    [
      'openssl',
      'req',
      '-x509',
      ...options,
      ...extensions,
      ...issuer,
      '-subj',
      `/O=IncusOS development/CN=IncusOS ${name}`,
      '-keyout',
      `/keys/.${name}.key`,
      '-out',
      `/keys/${name}.crt`,
    ],
    { log: logOf(`key-${name}`), mounts: { '/keys': directory } },
  );
  chmodSync(join(directory, `.${name}.key`), 0o600);
  renameSync(join(directory, `.${name}.key`), join(directory, `${name}.key`));
}
