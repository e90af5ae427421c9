/** Turns REST JSON into messages. */
import { isPlainObject, scalarProblem, toScalar, zeroOf } from './scalars.ts';
import { ZERO_TIME, type Field, Structure } from './structure.ts';

/** A value that can't become the message it should be. */
export class FieldError extends Error {
  override readonly name = 'FieldError';
  /** Path of the field, e.g. `config.interfaces[0].mtu`; empty for the value as a whole. */
  readonly field: string;
  /** What is wrong with it, e.g. `must be an integer`. */
  readonly reason: string;

  constructor(field: string, reason: string) {
    super(field === '' ? reason : `${field}: ${reason}`);
    this.field = field;
    this.reason = reason;
  }
}

/** Options of {@link fromRest}. */
export interface DecodeOptions {
  /** API bodies ignore keys that the structure doesn't have (the default), seed files reject them. */
  readonly unknownKeys?: 'ignore' | 'reject';
}

/**
 * The message that a parsed JSON value stands for. An absent or `null` field is left at its default: absent where the
 * message can say so, zero otherwise. Elements of lists and maps can't be `null`.
 *
 * @param value - from `parseRestJson`, so that large integers are exact
 * @throws {@link FieldError} for the first field of the wrong type
 */
export function fromRest<T extends object>(
  structure: Structure<T>,
  value: unknown,
  { unknownKeys = 'ignore' }: DecodeOptions = {},
): T {
  // The generated tables tie each structure to the message type with exactly these fields.
  return decodeMessage(structure, value, '', unknownKeys === 'reject') as T;
}

/** The message with nothing set. */
export function emptyOf<T extends object>(structure: Structure<T>): T {
  return decodeMessage(structure, {}, '', false) as T;
}

function decodeMessage(structure: Structure, value: unknown, path: string, strict: boolean): object {
  if (!isPlainObject(value)) throw new FieldError(path, 'must be an object');
  const message: Record<string, unknown> = {};
  for (const field of structure.fields) {
    const part = Object.hasOwn(value, field.key) ? value[field.key] : undefined;
    message[field.name] = decodeField(field, part, join(path, field.key), strict);
  }
  if (strict) {
    const known = new Set(structure.fields.map(({ key }) => key));
    const unknown = Object.keys(value).find((key) => !known.has(key));
    if (unknown !== undefined) throw new FieldError(join(path, unknown), 'is not a known key');
  }
  return message;
}

function decodeField(field: Field, value: unknown, path: string, strict: boolean): unknown {
  const absent = value === undefined || value === null;
  switch (field.label) {
    case 'list':
      if (absent) return [];
      if (!Array.isArray(value)) throw new FieldError(path, 'must be a list');
      return value.map((element, i) => decodeValue(field, element, `${path}[${i}]`, strict));
    case 'map':
      if (absent) return {};
      if (!isPlainObject(value)) throw new FieldError(path, 'must be an object');
      return Object.fromEntries(
        Object.entries(value).map(([key, part]) => [key, decodeValue(field, part, join(path, key), strict)]),
      );
    case 'optional':
      return absent ? undefined : decodeValue(field, value, path, strict);
    case 'one':
      if (!absent) return decodeValue(field, value, path, strict);
      if (field.type === 'value') return value;
      return field.type instanceof Structure ? undefined : zeroOf(field.type);
  }
}

function decodeValue(field: Field, value: unknown, path: string, strict: boolean): unknown {
  const { type } = field;
  if (type instanceof Structure) return decodeMessage(type, value, path, strict);
  if (field.integerAsText && Number.isInteger(value)) return String(value);
  const problem = scalarProblem(type, value);
  if (problem !== undefined) throw new FieldError(path, problem);
  return field.empty === 'zero-time' && value === ZERO_TIME ? '' : toScalar(type, value);
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
