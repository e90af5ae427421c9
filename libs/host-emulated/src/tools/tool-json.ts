/** JSON as the real tools write it: with every digit of a 64-bit size. */

/** The type declarations don't have it yet. */
const json = JSON as unknown as { rawJSON(text: string): unknown };

/**
 * JSON text in which integers have all their digits, where `JSON.stringify` refuses a `bigint` and writes no more than
 * 17 digits of a `number`.
 * @param replacer as in `JSON.stringify`, before numbers are looked at.
 */
export function toolJson(
  value: unknown,
  space?: number,
  replacer: (value: unknown) => unknown = (same) => same,
): string {
  const exact = (_key: string, member: unknown): unknown => {
    const replaced = replacer(member);
    if (typeof replaced === 'bigint') return json.rawJSON(String(replaced));
    const isLarge =
      typeof replaced === 'number' && Number.isInteger(replaced) && !Number.isSafeInteger(replaced);
    return isLarge ? json.rawJSON(String(BigInt(replaced))) : replaced;
  };
  return JSON.stringify(value, exact, space);
}
