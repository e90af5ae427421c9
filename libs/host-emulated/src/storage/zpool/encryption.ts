/** Keys of encryption roots, read from the files their `keylocation` names. */
import type { Files } from '@incusos/host';
import { Refusal } from './spec.ts';

const rawKeyBytes = 32;

/**
 * The key in a file, hexadecimal.
 * @throws Refusal in ZFS' words.
 */
export async function readKey(files: Files, location: string, what: string): Promise<string> {
  const path = location.replace(/^file:\/\//u, '');
  const bytes = await files.readBytes(path).catch(() => undefined);
  if (bytes === undefined)
    throw new Refusal(`${what}: Failed to open key material file: No such file or directory`);
  if (bytes.length < rawKeyBytes) throw new Refusal(`${what}: Raw key too short (expected ${rawKeyBytes}).`);
  if (bytes.length > rawKeyBytes) throw new Refusal(`${what}: Raw key too long (expected ${rawKeyBytes}).`);
  return bytes.toString('hex');
}

/** The key that a new encryption root is made with; `undefined` without encryption. */
export async function encryptionFrom(
  files: Files,
  name: string,
  properties: Readonly<Record<string, string>>,
): Promise<string | undefined> {
  const { encryption, keyformat, keylocation } = properties;
  if (encryption === undefined || encryption === 'off') return undefined;
  if (keyformat === undefined)
    throw new Refusal(`cannot create '${name}': Keyformat required for new encryption root.`);
  if (keylocation === undefined || keylocation === 'prompt')
    throw new Refusal(`cannot create '${name}': Keylocation can't be 'prompt' here.`);
  if (keyformat !== 'raw')
    throw new Refusal(
      `cannot create '${name}': Key format '${keyformat}' isn't known to the emulated machine.`,
    );
  return readKey(files, keylocation, `cannot create '${name}'`);
}
