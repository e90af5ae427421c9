/** Reads the JSON that programs write: sizes have 64 bits there, more than a `number` holds exactly. */

/**
 * Parses JSON text; integers that a `number` can't hold exactly come out as `bigint`.
 * @throws SyntaxError when it isn't JSON.
 */
export function parseProgramJson(text: string): unknown {
  // The reviver is several times slower, and hardly any machine has sizes of 16 digits.
  return /\d{16}/u.test(text) ? (JSON.parse(text, exact) as unknown) : (JSON.parse(text) as unknown);
}

/** The type declarations don't have the third argument yet. */
function exact(_key: string, value: unknown, context?: { readonly source?: string }): unknown {
  if (typeof value !== 'number' || Number.isSafeInteger(value)) return value;
  const source = context?.source ?? '';
  return /^-?\d{1,40}$/u.test(source) ? BigInt(source) : value;
}

/** The integer that a program gave as a number or as its digits; 0 for anything else. */
export function integerOf(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number') return Number.isFinite(value) ? BigInt(Math.trunc(value)) : 0n;
  return typeof value === 'string' && /^\d{1,40}$/u.test(value) ? BigInt(value) : 0n;
}
