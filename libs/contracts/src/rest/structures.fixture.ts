/** What the tests of REST JSON need to know about all structures, and messages made from their descriptions. */
import * as fc from 'fast-check';
import * as rest from '../generated/rest/index.ts';
import { Structure, type Field, type ScalarType } from './structure.ts';

/** Every structure there is, by its full name. */
export const ALL_STRUCTURES: ReadonlyMap<string, Structure> = new Map(
  Object.values<object>(rest)
    .flatMap((module) => Object.values<unknown>({ ...module }))
    .filter((value) => value instanceof Structure)
    .map((structure) => [structure.name, structure]),
);

/** A time, a name, anything that could be in a message. Not empty: an empty string may be left out. */
const text = fc.oneof(
  fc.string({ minLength: 1, unit: 'grapheme' }),
  fc.constantFrom('<a href="x">&', '\u2028', '"\\\n', 'enp5s0', '2026-10-16T12:00:00.123456789+02:00'),
);

const key = fc.string({ minLength: 1 }).filter((candidate) => candidate !== '__proto__');

const freeJson = fc
  .json({ maxDepth: 3 })
  .filter((json) => !json.includes('__proto__'))
  .map((json) => JSON.parse(json) as unknown);

const SCALARS: Readonly<Record<ScalarType, fc.Arbitrary<unknown>>> = {
  string: text,
  bool: fc.boolean(),
  int32: fc.integer(),
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int64: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  uint64: fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
  double: fc.double({ noDefaultInfinity: true, noNaN: true }).map((value) => (value === 0 ? 0 : value)),
  value: freeJson,
  object: fc
    .dictionary(key, freeJson)
    .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>),
};

/**
 * Messages of a structure in the one form that JSON can give back: a scalar whose zero is left out is absent rather
 * than zero, and a message that is always written is always there.
 *
 * @param depth - how deep messages go that contain themselves
 */
export function messagesOf(structure: Structure, depth = 4): fc.Arbitrary<object> {
  return fc.record(
    Object.fromEntries(structure.fields.map((field) => [field.name, fieldArbitrary(field, depth)])),
  );
}

function fieldArbitrary(field: Field, depth: number): fc.Arbitrary<unknown> {
  const element = (): fc.Arbitrary<unknown> =>
    field.type instanceof Structure ? messagesOf(field.type, depth - 1) : SCALARS[field.type];
  switch (field.label) {
    case 'list':
      return depth <= 0 ? fc.constant([]) : fc.array(element(), { maxLength: 3 });
    case 'map':
      return depth <= 0 ? fc.constant({}) : fc.dictionary(key, element(), { maxKeys: 3 });
    case 'optional':
      return field.empty === 'omit'
        ? fc.option(
            element().filter((value) => !isZero(value)),
            { nil: undefined },
          )
        : element();
    case 'one':
      if (field.empty === 'zero' || field.empty === 'zero-time') return element();
      if (field.type === 'value') return element();
      return depth <= 0 ? fc.constant(undefined) : fc.option(element(), { nil: undefined });
  }
}

function isZero(value: unknown): boolean {
  return value === 0 || value === 0n || value === false || value === '';
}
