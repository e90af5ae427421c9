/**
 * The keys that sign the image. A directory given by the caller has to hold them all; without one, keys for development
 * are made once, for this checkout only.
 */
import { existsSync, mkdirSync, chmodSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { inside } from './roots.ts';
import { say, UserError } from './sentence.ts';

/** `secure-boot` signs boot loader, kernel and modules; `verity` the root hash; `pcr` what the TPM should measure. */
export const keyNames = ['secure-boot', 'verity', 'pcr'] as const;
/** Authorities whose releases the image trusts, in PEM. */
export const trustNames = ['root', 'update'] as const;

/**
 * Makes sure that `directory` holds every key.
 * @throws UserError when one is missing from a directory that isn't ours to fill.
 */
export async function ensureKeys(tools: string, directory: string, mayMake: boolean): Promise<void> {
  for (const name of keyNames) {
    const [key, certificate] = [join(directory, `${name}.key`), join(directory, `${name}.crt`)];
    if (existsSync(key) && existsSync(certificate)) continue;
    if (!mayMake) throw new UserError(`${directory} has no ${name}.key with ${name}.crt.`);
    say(`making the development key ${name} …`);
    await makeKey(tools, directory, name, 'digitalSignature');
  }
  for (const name of trustNames) {
    if (existsSync(join(directory, `${name}.pem`))) continue;
    if (!mayMake) throw new UserError(`${directory} has no ${name}.pem.`);
    say(`making the development authority ${name} …`);
    // The authority of updates is one that the root vouches for.
    const issuer = name === 'root' ? [] : ['-CA', '/keys/root.pem', '-CAkey', '/keys/root.key'];
    await makeKey(tools, directory, name, 'keyCertSign', issuer);
    renameSync(join(directory, `${name}.crt`), join(directory, `${name}.pem`));
  }
}

async function makeKey(
  tools: string,
  directory: string,
  name: string,
  usage: string,
  issuer: readonly string[] = [],
): Promise<void> {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
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
    { log: join(directory, `${name}.log`), mounts: { '/keys': directory } },
  );
  chmodSync(join(directory, `.${name}.key`), 0o600);
  renameSync(join(directory, `.${name}.key`), join(directory, `${name}.key`));
}
