/** Passphrases for emergencies: making one, and judging one that a person chose. */
import { randomBytes } from 'node:crypto';

const minLength = 15;
/** LUKS takes at most 512 bytes (cryptsetup(8), "NOTES ON PASSPHRASE PROCESSING"). */
const maxBytes = 512;
/** zxcvbn's scale goes from 0 to 4; 4 takes more than 10^10 guesses, which someone with the disk has time for below it. */
const minScore = 4;

/** The letters that are in the same place on most keyboard layouts. */
const letters = 'cbdefghijklnrtuv';

/** A passphrase of 256 bits in the form of systemd's recovery keys: eight groups of eight letters. */
export function makePassphrase(): string {
  const text = [...randomBytes(32)]
    .map((byte) => `${letters.charAt(byte >> 4)}${letters.charAt(byte & 15)}`)
    .join('');
  return (text.match(/.{8}/gu) ?? []).join('-');
}

/** What is wrong with a passphrase, as a sentence that doesn't repeat it; `undefined` when it is good enough. */
export type PassphraseJudge = (passphrase: string) => string | undefined;

/**
 * Judges passphrases: at least 15 characters, one of them a symbol, on one line, and hard to guess by dictionary,
 * keyboard pattern and repetition. Its dictionaries take some megabytes, so nobody should keep it.
 */
export async function passphraseJudge(): Promise<PassphraseJudge> {
  const [{ ZxcvbnFactory }, { adjacencyGraphs, dictionary }] = await Promise.all([
    import('@zxcvbn-ts/core'),
    import('@zxcvbn-ts/language-common'),
  ]);
  const zxcvbn = new ZxcvbnFactory({ dictionary, graphs: adjacencyGraphs });
  return (passphrase) => {
    if (passphrase.length < minLength) return `it must have at least ${minLength} characters`;
    if (Buffer.byteLength(passphrase) > maxBytes) return `it must have at most ${maxBytes} bytes`;
    if (/\p{Cc}/u.test(passphrase)) return 'it must be one line without control characters';
    if (/^[\p{L}\p{N}]*$/u.test(passphrase)) return 'it must have at least one symbol';
    return zxcvbn.check(passphrase).score < minScore ? 'it is too easy to guess' : undefined;
  };
}
