/** Signers and signatures for tests, made by the `openssl` program. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { LocalFiles, LocalPrograms } from '@incusos/host';
import type { SigningPki } from '@incusos/host-emulated';

/** Who signs: paths of PEM files. */
export interface Signer {
  readonly certificate: string;
  readonly key: string;
  /** The certificates that are sent along. */
  readonly chain: string;
}

export interface SignerOptions {
  /** `Release signing` unless given. */
  readonly name?: string;
  /** Issued by the update CA unless given. */
  readonly issuer?: 'update-ca' | 'root';
  /** `ec` (P-256) unless given. */
  readonly keyType?: 'ec' | 'rsa';
  /** `emailProtection` unless given; `none` leaves the extension out. */
  readonly extendedKeyUsage?: string;
  /** Makes a CA of it. */
  readonly authority?: boolean;
  /** How many CAs the CA allows below it. */
  readonly pathLength?: number;
  /** `digitalSignature` unless given. */
  readonly keyUsage?: string;
}

/** `detached` is what the public feed has; the others are what `openssl smime -sign` can make besides. */
export type SignedForm =
  'detached' | 'opaque' | 'binary' | 'without-text-header' | 'without-attributes' | 'cms';

const files = new LocalFiles('/');
const programs = new LocalPrograms();

const formOptions: Readonly<Record<SignedForm, readonly string[]>> = {
  detached: ['-text'],
  opaque: ['-text', '-nodetach'],
  binary: ['-binary'],
  'without-text-header': [],
  'without-attributes': ['-text', '-noattr'],
  cms: ['-text'],
};

/** Has a signer certified by a PKI; its files are put into `directory`. */
export async function makeSigner(
  pki: SigningPki,
  directory: string,
  options: SignerOptions = {},
): Promise<Signer> {
  const { name = 'Release signing', issuer = 'update-ca', keyType = 'ec' } = options;
  const base = join(directory, `${name.replaceAll(/\W+/gu, '-')}-${randomBytes(3).toString('hex')}`);
  const signer = { certificate: `${base}.pem`, key: `${base}.key`, chain: `${base}.chain.pem` };
  const [ca, caKey] = issuer === 'root' ? [pki.root, pki.rootKey] : [pki.updateCa, pki.updateCaKey];
  await files.writeAtomic(`${base}.cnf`, '[req]\ndistinguished_name = subject\n[subject]\n');
  const newKey = keyType === 'ec' ? ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256'] : ['rsa:2048'];
  await programs.run([
    ...(['openssl', 'req', '-x509', '-config', `${base}.cnf`, '-days', '365'] as const),
    ...['-newkey', ...newKey, '-nodes', '-keyout', signer.key, '-out', signer.certificate],
    ...['-subj', `/O=IncusOS development/CN=${name}`, '-CA', ca, '-CAkey', caKey],
    ...extensions(options).flatMap((extension) => ['-addext', extension]),
  ]);
  await files.writeAtomic(
    signer.chain,
    (await files.readText(pki.updateCa)) + (await files.readText(pki.root)),
  );
  return signer;
}

function extensions(options: SignerOptions): string[] {
  const { authority, keyUsage, pathLength, extendedKeyUsage = 'emailProtection' } = options;
  const usage = keyUsage ?? (authority === true ? 'keyCertSign,digitalSignature' : 'digitalSignature');
  return [
    `basicConstraints=critical,CA:${authority === true ? 'TRUE' : 'FALSE'}${pathLength === undefined ? '' : `,pathlen:${pathLength}`}`,
    `keyUsage=critical,${usage}`,
    ...(extendedKeyUsage === 'none' ? [] : [`extendedKeyUsage=${extendedKeyUsage}`]),
    'subjectKeyIdentifier=hash',
    'authorityKeyIdentifier=keyid',
  ];
}

/** The signer's certificate, PEM. */
export function signerCertificate(signer: Signer): Promise<string> {
  return files.readText(signer.certificate);
}

/**
 * Signs a text as the publishers of feeds do.
 * @param options more options of `openssl smime -sign`, such as `['-nocerts']`.
 */
export async function signText(
  text: string,
  signer: Signer,
  form: SignedForm = 'detached',
  options: readonly string[] = [],
): Promise<Buffer> {
  const program = form === 'cms' ? 'cms' : 'smime';
  const { stdout } = await programs.run(
    [
      ...(['openssl', program, '-sign', ...formOptions[form]] as const),
      ...['-signer', signer.certificate, '-inkey', signer.key, '-certfile', signer.chain],
      ...options,
    ],
    { stdin: text, maxOutputBytes: 256 * 1024 * 1024 },
  );
  return Buffer.from(stdout);
}
