/**
 * Certificate authorities for releases of an emulated machine: a root and the update CA below it, with their keys, in
 * a directory next to the machine, made by the `openssl` program of the computer that runs the emulation. Whoever has
 * the directory can publish releases which that machine trusts; no other machine does.
 */
import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { LocalPrograms } from '@incusos/host';

/** Paths of the authorities' certificates and keys, PEM. */
export interface SigningPki {
  readonly root: string;
  readonly rootKey: string;
  readonly updateCa: string;
  readonly updateCaKey: string;
}

const organisation = 'IncusOS development';
const validDays = '3650';

/** The files of a PKI in a directory. */
export function signingPki(directory: string): SigningPki {
  return {
    root: join(directory, 'root.pem'),
    rootKey: join(directory, 'root.key'),
    updateCa: join(directory, 'update.pem'),
    updateCaKey: join(directory, 'update.key'),
  };
}

/**
 * Makes the authorities, unless the directory holds some already. The directory appears as a whole or not at all.
 * @throws ProgramError when `openssl` is missing or fails.
 */
export async function ensureSigningPki(directory: string): Promise<SigningPki> {
  const pki = signingPki(directory);
  if (existsSync(pki.root)) return pki;
  const draft = `${directory}.${randomBytes(4).toString('hex')}`;
  await mkdir(dirname(directory), { recursive: true });
  await mkdir(draft, { mode: 0o700 });
  try {
    await makeAuthorities(signingPki(draft), join(draft, 'openssl.cnf'));
    await rename(draft, directory);
  } catch (error) {
    // Someone else may have made it meanwhile.
    if (!existsSync(pki.root)) throw error;
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return pki;
}

async function makeAuthorities(pki: SigningPki, configuration: string): Promise<void> {
  await writeFile(configuration, '[req]\ndistinguished_name = subject\n[subject]\n');
  await makeAuthority('Root', pki.root, pki.rootKey, configuration, []);
  await makeAuthority('Update CA', pki.updateCa, pki.updateCaKey, configuration, [
    ...['-CA', pki.root, '-CAkey', pki.rootKey],
    ...['-addext', 'authorityKeyIdentifier=keyid'],
  ]);
}

async function makeAuthority(
  name: string,
  certificate: string,
  key: string,
  configuration: string,
  issuer: readonly string[],
): Promise<void> {
  await new LocalPrograms().run([
    ...(['openssl', 'req', '-x509', '-config', configuration, '-days', validDays] as const),
    ...[
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-384',
      '-nodes',
      '-keyout',
      key,
      '-out',
      certificate,
    ],
    ...['-subj', `/O=${organisation}/CN=${name}`],
    ...['-addext', 'basicConstraints=critical,CA:TRUE'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign'],
    ...['-addext', 'subjectKeyIdentifier=hash'],
    ...issuer,
  ]);
}
