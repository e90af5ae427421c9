/**
 * LUKS2 headers of the emulated machine.
 *
 * Invariants: a keyslot keeps a salted hash of its passphrase, never the passphrase; a token names only keyslots that
 * exist.
 */
import { createHash, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto';
import type { Files } from '@incusos/host';
import type { Keyslot, LuksDevice, LuksToken, SecuritySection } from './section.ts';

/** A LUKS2 header has room for this many keyslots and tokens. */
const maxKeyslots = 32;

/** What programs call a device: links followed; `undefined` when it isn't there. */
export async function canonicalDevice(files: Files, device: string): Promise<string | undefined> {
  // Links are followed inside of the machine; `exists` would follow an absolute one out of it.
  return device.startsWith('/') ? files.realPath(device).catch(() => undefined) : undefined;
}

/** The header on a device, whichever of its names is used. */
export async function headerOf(
  section: SecuritySection,
  files: Files,
  device: string,
): Promise<LuksDevice | undefined> {
  const wanted = await canonicalDevice(files, device);
  for (const header of section.luks) {
    if (
      header.device === device ||
      (wanted !== undefined && (await canonicalDevice(files, header.device)) === wanted)
    )
      return header;
  }
  return undefined;
}

export function newHeader(device: string): LuksDevice {
  return { device, uuid: randomUUID(), keyslots: {}, tokens: {} };
}

function hash(salt: string, passphrase: string): string {
  return createHash('sha256')
    .update(Buffer.from(salt, 'base64'))
    .update(passphrase, 'latin1')
    .digest('base64');
}

function matches({ salt, digest }: Keyslot, passphrase: string): boolean {
  return timingSafeEqual(Buffer.from(hash(salt, passphrase), 'base64'), Buffer.from(digest, 'base64'));
}

function firstFree(used: Readonly<Record<string, unknown>>): string | undefined {
  return Array.from({ length: maxKeyslots }, (_, index) => String(index)).find((index) => !(index in used));
}

/** The keyslot that a passphrase opens. `passphrase` is bytes as latin1 text. */
export function slotOf(header: LuksDevice, passphrase: string, only?: string): string | undefined {
  const slots = only === undefined ? Object.keys(header.keyslots) : [only];
  return slots.find((slot) => {
    const keyslot = header.keyslots[slot];
    return keyslot !== undefined && matches(keyslot, passphrase);
  });
}

/** Takes the next free keyslot for a passphrase; `undefined` when all are taken. */
export function addKeyslot(header: LuksDevice, passphrase: string): string | undefined {
  const slot = firstFree(header.keyslots);
  if (slot === undefined) return undefined;
  const salt = randomBytes(16).toString('base64');
  header.keyslots[slot] = { salt, digest: hash(salt, passphrase) };
  return slot;
}

/** Removes a keyslot, and the tokens that are for no other one. */
export function removeKeyslot(header: LuksDevice, slot: string): void {
  header.keyslots = Object.fromEntries(Object.entries(header.keyslots).filter(([name]) => name !== slot));
  const tokens = Object.entries(header.tokens).map(([name, token]): [string, LuksToken] => [
    name,
    { ...token, keyslots: token.keyslots.filter((used) => used !== slot) },
  ]);
  header.tokens = Object.fromEntries(tokens.filter(([, { keyslots }]) => keyslots.length > 0));
}

export function addToken(header: LuksDevice, token: LuksToken): void {
  const name = firstFree(header.tokens);
  if (name !== undefined) header.tokens[name] = token;
}

/** What a keyslot is for, in the words of `systemd-cryptenroll`. */
export function slotType(header: LuksDevice, slot: string): string {
  const token = Object.values(header.tokens).find(({ keyslots }) => keyslots.includes(slot));
  return token === undefined ? 'password' : token.type.replace('systemd-', '');
}

/** Whether a token of systemd's stands for the keyslot. */
function claimed(header: LuksDevice, slot: string): boolean {
  return Object.values(header.tokens).some(({ keyslots }) => keyslots.includes(slot));
}

/** The metadata as `cryptsetup luksDump --dump-json-metadata` prints it. */
export function metadata(header: LuksDevice): unknown {
  const keyslots = Object.entries(header.keyslots).map(([slot, { salt }]) => [
    slot,
    {
      type: 'luks2',
      key_size: 64,
      af: { type: 'luks1', stripes: 4000, hash: claimed(header, slot) ? 'sha512' : 'sha256' },
      area: {
        type: 'raw',
        offset: String(32768 + 258048 * Number(slot)),
        size: '258048',
        encryption: 'aes-xts-plain64',
        key_size: 64,
      },
      // What no person types needs no slow function (cryptsetup's minimal PBKDF2).
      kdf: claimed(header, slot)
        ? { type: 'pbkdf2', hash: 'sha512', iterations: 1000, salt }
        : { type: 'argon2id', time: 4, memory: 1048576, cpus: 2, salt },
    },
  ]);
  return {
    keyslots: Object.fromEntries(keyslots) as unknown,
    tokens: header.tokens,
    segments: {
      '0': {
        type: 'crypt',
        offset: '16777216',
        size: 'dynamic',
        iv_tweak: '0',
        encryption: 'aes-xts-plain64',
        sector_size: 512,
      },
    },
    digests: {
      '0': {
        type: 'pbkdf2',
        keyslots: Object.keys(header.keyslots),
        segments: ['0'],
        hash: 'sha256',
        iterations: 1000,
        salt: hash('', header.uuid),
        digest: hash('', `${header.uuid} volume key`),
      },
    },
    config: { json_size: '12288', keyslots_size: '16744448' },
  };
}
