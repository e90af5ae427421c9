/**
 * Writes messages as REST JSON.
 *
 * This is on the path of every GET: an encoder is put together once for each structure, and then only concatenates.
 */
import { ZERO_TIME, type Field, type ScalarType, Structure } from './structure.ts';

/** Gives the JSON of a value; of an absent one, the JSON of the zero value. */
type Encoder = (value: unknown) => string;

/** Appends `,"key":value` for one field of a message, or nothing. */
type FieldWriter = (message: Readonly<Record<string, unknown>>) => string;

const encoders = new WeakMap<Structure, Encoder>();

/**
 * The JSON text of a message, with keys in the order of declaration, maps sorted by key, 64-bit integers as plain
 * numbers, and without HTML escaping.
 */
export function restJson<T extends object>(structure: Structure<T>, message: T): string {
  return encoderOf(structure)(message);
}

function encoderOf(structure: Structure): Encoder {
  const known = encoders.get(structure);
  if (known !== undefined) return known;
  let writers: readonly FieldWriter[] | undefined;
  const encoder: Encoder = (value) => {
    // Built on first use, so that a structure may contain itself.
    writers ??= structure.fields.map(fieldWriter);
    const message = isRecord(value) ? value : {};
    let text = '';
    for (const write of writers) text += write(message);
    return text === '' ? '{}' : `{${text.slice(1)}}`;
  };
  encoders.set(structure, encoder);
  return encoder;
}

function fieldWriter(field: Field): FieldWriter {
  const { name } = field;
  const prefix = `,${JSON.stringify(field.key)}:`;
  const encode = field.type instanceof Structure ? encoderOf(field.type) : SCALARS[field.type];
  const whenEmpty = emptyText(field, encode);
  const empty = whenEmpty === undefined ? '' : prefix + whenEmpty;

  switch (field.label) {
    case 'list':
      return (message) => {
        const list = message[name];
        if (!Array.isArray(list) || list.length === 0) return empty;
        let text = '';
        for (const element of list) text += `,${encode(element)}`;
        return `${prefix}[${text.slice(1)}]`;
      };
    case 'map':
      return (message) => {
        const map = message[name];
        const keys = isRecord(map) ? Object.keys(map) : [];
        if (!isRecord(map) || keys.length === 0) return empty;
        let text = '';
        for (const key of keys.sort()) text += `,${quote(key)}:${encode(map[key])}`;
        return `${prefix}{${text.slice(1)}}`;
      };
    case 'one':
    case 'optional': {
      if (field.type instanceof Structure || field.type === 'object' || field.type === 'value') {
        // A message that contains itself must not be encoded empty in advance.
        return (message) => {
          const value = message[name];
          if (value !== undefined && value !== null) return prefix + encode(value);
          return field.empty === 'zero' ? prefix + encode(undefined) : empty;
        };
      }
      return (message) => {
        const value = message[name];
        return isZero(value) ? empty : prefix + encode(value);
      };
    }
  }
}

/** What stands for an empty value, or undefined where the key is left out. */
function emptyText(field: Field, encode: Encoder): string | undefined {
  switch (field.empty) {
    case 'omit':
      return undefined;
    case 'null':
      return 'null';
    case 'literal':
      return field.label === 'list' ? '[]' : '{}';
    case 'zero':
      return field.type instanceof Structure ? undefined : encode(undefined);
    case 'zero-time':
      return JSON.stringify(ZERO_TIME);
  }
}

const integer: Encoder = (value) =>
  typeof value === 'bigint' || typeof value === 'number' ? value.toString() : '0';

/** Most strings hold nothing that has to be escaped, and seeing that is faster than leaving it to JSON.stringify. */
function quote(text: string): string {
  return /^[ !#-[\]-~]*$/.test(text) ? `"${text}"` : JSON.stringify(text);
}

const SCALARS: Readonly<Record<ScalarType, Encoder>> = {
  string: (value) => (typeof value === 'string' ? quote(value) : '""'),
  bool: (value) => (value === true ? 'true' : 'false'),
  int32: integer,
  uint32: integer,
  int64: integer,
  uint64: integer,
  double: (value) => JSON.stringify(value ?? 0),
  value: freeJson,
  object: freeJson,
};

function freeJson(value: unknown): string {
  return JSON.stringify(value ?? null, (_key, part: unknown) =>
    typeof part === 'bigint' ? Number(part) : part,
  );
}

function isZero(value: unknown): boolean {
  return (
    value === undefined || value === null || value === '' || value === 0 || value === false || value === 0n
  );
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
