/**
 * The keys of encrypted pools and drives: files of 32 random bytes, mode 0600, in the service's own directory. A key
 * is never part of an argument, a message or a log line; programs get the path.
 */
import { randomBytes } from 'node:crypto';
import type { Files } from '@incusos/host';

export const stateDirectory = '/var/lib/incus-os/storage';
export const keyBytes = 32;

/** The files of the keys. Names come back from backups, and go into arguments: none may look like an option. */
export const poolKeyFile = /^zpool\.([a-zA-Z][a-zA-Z0-9_.:-]*)\.key$/u;
export const driveKeyFile = /^luks\.([^\s/]+)\.key$/u;

export function poolKeyPath(pool: string): string {
  return `${stateDirectory}/zpool.${pool}.key`;
}

/** @param drive the last part of its path below `/dev/disk/by-id`. */
export function driveKeyPath(drive: string): string {
  return `${stateDirectory}/luks.${drive}.key`;
}

async function names(files: Files, form: RegExp): Promise<Set<string>> {
  const found = (await files.list(stateDirectory)).flatMap((file) => form.exec(file)?.[1] ?? []);
  return new Set(found);
}

/** The pools that are ours: those we hold a key for. */
export function poolKeyNames(files: Files): Promise<Set<string>> {
  return names(files, poolKeyFile);
}

export function driveKeyNames(files: Files): Promise<Set<string>> {
  return names(files, driveKeyFile);
}

export function writeKey(files: Files, path: string, key: Uint8Array): Promise<void> {
  return files.writeAtomic(path, key, { mode: 0o600 });
}

export function newKey(): Buffer {
  return randomBytes(keyBytes);
}

/** The bytes of a key as the API gives it, in base64; `undefined` when it isn't base64. */
export function decodeKey(text: string): Buffer | undefined {
  const clean = text.trim();
  if (!/^[A-Za-z0-9+/]*={0,2}$/u.test(clean) || clean.length % 4 !== 0) return undefined;
  return Buffer.from(clean, 'base64');
}
