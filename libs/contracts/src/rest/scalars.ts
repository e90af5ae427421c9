/** What a JSON value must be to become a scalar of a message: one set of rules and texts for every reader. */
import type { ScalarType } from './structure.ts';

type IntegerType = 'int32' | 'uint32' | 'int64' | 'uint64';

/** Smallest and largest value of each integer type. */
const INTEGER_RANGES: Readonly<Record<IntegerType, readonly [min: bigint, max: bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  uint32: [0n, 2n ** 32n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  uint64: [0n, 2n ** 64n - 1n],
};

/** Says what is wrong with a value that should be of a type, or undefined when nothing is. */
export function scalarProblem(type: ScalarType, value: unknown): string | undefined {
  switch (type) {
    case 'string':
      return typeof value === 'string' ? undefined : 'must be a string';
    case 'bool':
      return typeof value === 'boolean' ? undefined : 'must be true or false';
    case 'double':
      return (typeof value === 'number' && Number.isFinite(value)) || typeof value === 'bigint'
        ? undefined
        : 'must be a number';
    case 'object':
      return isPlainObject(value) ? undefined : 'must be an object';
    case 'value':
      return undefined;
    case 'int32':
    case 'uint32':
    case 'int64':
    case 'uint64':
      return integerProblem(type, value);
  }
}

function integerProblem(type: IntegerType, value: unknown): string | undefined {
  if (typeof value !== 'bigint' && !Number.isInteger(value)) return 'must be an integer';
  const [min, max] = INTEGER_RANGES[type];
  const integer = BigInt(value as bigint | number);
  return integer < min || integer > max ? `must be between ${min} and ${max}` : undefined;
}

/** The message's form of a value that {@link scalarProblem} found nothing wrong with. */
export function toScalar(type: ScalarType, value: unknown): unknown {
  switch (type) {
    case 'int64':
    case 'uint64':
      return typeof value === 'number' ? BigInt(value) : value;
    case 'int32':
    case 'uint32':
    case 'double':
      return Number(value);
    case 'object':
    case 'value':
      return withoutBigints(value);
    case 'string':
    case 'bool':
      return value;
  }
}

/** Free JSON travels as google.protobuf.Value, whose numbers are doubles. */
function withoutBigints(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value);
  if (Array.isArray(value)) return value.map(withoutBigints);
  if (!isPlainObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, withoutBigints(part)]));
}

/** The value that an absent scalar has. */
export function zeroOf(type: ScalarType): unknown {
  switch (type) {
    case 'string':
      return '';
    case 'bool':
      return false;
    case 'int64':
    case 'uint64':
      return 0n;
    case 'int32':
    case 'uint32':
    case 'double':
      return 0;
    case 'object':
    case 'value':
      return undefined;
  }
}

/** True for what JSON calls an object. */
export function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
