/**
 * The form of a state file on disk: one JSON object, whose checksum tells a whole file from a damaged one.
 */
import { createHash } from 'node:crypto';
import { StateFileError } from './state-error.ts';

/** What a state file carries around the service's own data. */
export interface StateFile {
  /** Schema version of `data`, counted from 1. */
  readonly version: number;
  /** Counts commits, from 1. */
  readonly sequence: number;
  /** RFC 3339, UTC. */
  readonly saved_at: string;
  /** What the change was for. */
  readonly reason: string;
  readonly data: unknown;
}

const bigintKey = '$bigint';
/** A key of the service's own data that could be taken for {@link bigintKey} gets a `$` more in the file. */
const ambiguousKey = /^\$+bigint$/u;
const escapedKey = /^\$\$+bigint$/u;

function encode(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return { [bigintKey]: String(value) };
  return renameKeys(value, ambiguousKey, (key) => `$${key}`);
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && Object.hasOwn(value, bigintKey)) {
    return BigInt(String((value as Record<string, unknown>)[bigintKey]));
  }
  return renameKeys(value, escapedKey, (key) => key.slice(1));
}

function renameKeys(value: unknown, which: RegExp, rename: (key: string) => string): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  if (!Object.keys(value).some((key) => which.test(key))) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, member]) => [which.test(key) ? rename(key) : key, member as unknown]),
  );
}

function digest(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** The text of a state file: the object on one line and its SHA-256 on a second. */
export function formatStateFile(file: StateFile): string {
  const body = JSON.stringify(file, encode);
  return `${body}\nsha256:${digest(body)}\n`;
}

/**
 * Reads a state file's text.
 * @throws StateFileError naming `path` when it is cut short, altered, not ours, or of a version above `newest`.
 */
export function parseStateFile(text: string, path: string, newest: number): StateFile {
  const end = text.indexOf('\n');
  const body = end === -1 ? text : text.slice(0, end);
  if (end === -1 || text.slice(end + 1).trim() !== `sha256:${digest(body)}`) {
    throw new StateFileError(
      path,
      'cut-short',
      `state file ${path} is cut short or was altered: its checksum doesn't match`,
    );
  }
  const file = parseJson(body);
  if (!isStateFile(file))
    throw new StateFileError(path, 'invalid', `state file ${path} doesn't hold a state`);
  if (file.version > newest) {
    throw new StateFileError(
      path,
      'newer-version',
      `state file ${path} has version ${file.version}, but this release knows versions up to ${newest}`,
    );
  }
  return file;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text, decode);
  } catch {
    return undefined;
  }
}

function isStateFile(value: unknown): value is StateFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    Number.isInteger(value.version) &&
    Number(value.version) >= 1 &&
    'sequence' in value &&
    Number.isInteger(value.sequence) &&
    'saved_at' in value &&
    typeof value.saved_at === 'string' &&
    'reason' in value &&
    typeof value.reason === 'string' &&
    'data' in value
  );
}
