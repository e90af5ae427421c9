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

function encode(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? { [bigintKey]: String(value) } : value;
}

function decode(_key: string, value: unknown): unknown {
  if (typeof value === 'object' && value !== null && bigintKey in value && typeof value[bigintKey] === 'string') {
    return BigInt(value[bigintKey]);
  }
  return value;
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
    throw new StateFileError(path, 'cut-short', `state file ${path} is cut short or was altered: its checksum doesn't match`);
  }
  const file: unknown = JSON.parse(body, decode);
  if (!isStateFile(file)) throw new StateFileError(path, 'invalid', `state file ${path} doesn't hold a state`);
  if (file.version > newest) {
    throw new StateFileError(
      path,
      'newer-version',
      `state file ${path} has version ${file.version}, but this release knows versions up to ${newest}`,
    );
  }
  return file;
}

function isStateFile(value: unknown): value is StateFile {
  return (
    typeof value === 'object' &&
    value !== null &&
    'version' in value &&
    Number.isInteger(value.version) &&
    'sequence' in value &&
    Number.isInteger(value.sequence) &&
    'data' in value
  );
}
