/**
 * Reads YAML as what JSON would say the same with.
 *
 * YAML doesn't say of a scalar whether a string or a number is meant, the structure that it is for does: `version: 1`
 * is the string `1`, as it is for Go's decoders, which the format of the seeds comes from.
 */
import { type Field, Structure } from '@incusos/contracts/rest';
import { type Document, parseDocument } from 'yaml';
import { SeedError } from '../seed-error.ts';

/** What YAML 1.1 takes for booleans besides `true` and `false`, as far as Go's decoder does (gopkg.in/yaml.v3). */
const olderBooleans = new Map([
  ...['y', 'Y', 'yes', 'on'].map((text) => [text, true] as const),
  ...['n', 'N', 'no', 'off'].map((text) => [text, false] as const),
]);

/** `logLevel` keeps the parser from writing to the terminal. */
const options = { merge: true, logLevel: 'error' } as const;

/**
 * The value of a YAML document, `undefined` when there is nothing but comments in it.
 * @throws SeedError for text that isn't YAML; it quotes nothing of it.
 */
export function parseYaml(structure: Structure, text: string, file: string): unknown {
  try {
    const value = toValue(parseDocument(text, { ...options, schema: 'core', intAsBigInt: true }), file);
    if (value === null) return undefined;
    // Every scalar as it is written.
    const written = toValue(parseDocument(text, { ...options, schema: 'failsafe' }), file);
    return fit(structure, value, written);
  } catch (error) {
    if (error instanceof RangeError) throw new SeedError(file, '', 'invalid YAML: nested too deep');
    if (error instanceof ReferenceError)
      throw new SeedError(file, '', 'invalid YAML: an alias stands for nothing or for too much');
    throw error;
  }
}

function toValue(document: Document.Parsed, file: string): unknown {
  const [problem] = document.errors;
  if (problem === undefined) return document.toJS({ maxAliasCount: 100 });
  const { line, col } = problem.linePos?.[0] ?? { line: 1, col: 1 };
  const what = problem.code.toLowerCase().replaceAll('_', ' ');
  throw new SeedError(file, '', `invalid YAML at line ${line}, column ${col}: ${what}`);
}

/** The value in the type that it is for, as far as that decides; what doesn't fit is left to the decoder. */
function fit(type: Field['type'], value: unknown, written: unknown): unknown {
  if (type instanceof Structure) return fitFields(type, value, written);
  if (type === 'string' && isScalar(value) && typeof written === 'string') return written;
  if (type === 'bool' && typeof value === 'string') return olderBooleans.get(value) ?? value;
  return withExactIntegers(value);
}

function fitFields(structure: Structure, value: unknown, written: unknown): unknown {
  if (!isMap(value)) return withExactIntegers(value);
  return mapValues(value, (part, key) => {
    const field = structure.fields.find((candidate) => candidate.key === key);
    const text = member(written, key);
    if (field === undefined) return withExactIntegers(part);
    if (field.label === 'list' && Array.isArray(part))
      return part.map((element, i) => fit(field.type, element, member(text, i)));
    if (field.label === 'map' && isMap(part))
      return mapValues(part, (element, name) => fit(field.type, element, member(text, name)));
    return fit(field.type, part, text);
  });
}

/** Integers as the reader of JSON gives them: numbers as far as these are exact. */
function withExactIntegers(value: unknown): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value;
  if (Array.isArray(value)) return value.map(withExactIntegers);
  return isMap(value) ? mapValues(value, withExactIntegers) : value;
}

function mapValues(
  map: Readonly<Record<string, unknown>>,
  change: (value: unknown, key: string) => unknown,
): Record<string, unknown> {
  return Object.fromEntries(Object.entries(map).map(([key, value]) => [key, change(value, key)]));
}

function member(container: unknown, key: string | number): unknown {
  return typeof container === 'object' && container !== null && Object.hasOwn(container, key)
    ? (container as Readonly<Record<string | number, unknown>>)[key]
    : undefined;
}

function isScalar(value: unknown): boolean {
  return typeof value === 'number' || typeof value === 'bigint' || typeof value === 'boolean';
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
