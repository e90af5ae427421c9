/** Durations as the API writes them, which is Go's syntax: https://pkg.go.dev/time#ParseDuration */

const NANOSECONDS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n, // U+00B5, micro sign
  μs: 1_000n, // U+03BC, Greek letter mu
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};

const MAX_NANOSECONDS = 2n ** 63n - 1n;

/** The text is no duration. The message is the one Go gives, since scripts read it. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

/**
 * Parses a duration such as `1h30m`, `250ms`, `1.5s` or `-2m`.
 *
 * @returns nanoseconds, within 64 bits
 * @throws {@link DurationError}
 */
export function parseDuration(text: string): bigint {
  const invalid = new DurationError(`time: invalid duration ${JSON.stringify(text)}`);
  const sign = /^[+-]/.exec(text)?.[0] ?? '';
  let rest = text.slice(sign.length);
  if (rest === '0') return 0n;
  if (rest === '') throw invalid;
  let total = 0n;
  while (rest !== '') {
    const number = /^(\d*)(?:\.(\d*))?/.exec(rest);
    const whole = number?.[1] ?? '';
    const fraction = number?.[2] ?? '';
    if ((whole === '' && fraction === '') || whole.length > 19) throw invalid;
    rest = rest.slice(number?.[0].length);
    const unit = /^[^.\d]*/.exec(rest)?.[0] ?? '';
    if (unit === '') throw new DurationError(`time: missing unit in duration ${JSON.stringify(text)}`);
    const scale = Object.hasOwn(NANOSECONDS, unit) ? NANOSECONDS[unit] : undefined;
    if (scale === undefined) {
      throw new DurationError(
        `time: unknown unit ${JSON.stringify(unit)} in duration ${JSON.stringify(text)}`,
      );
    }
    total += BigInt(whole === '' ? 0 : whole) * scale;
    // Nothing past the nineteenth digit can make a nanosecond.
    const digits = fraction.slice(0, 19);
    if (digits !== '') total += (BigInt(digits) * scale) / 10n ** BigInt(digits.length);
    rest = rest.slice(unit.length);
  }
  if (total > MAX_NANOSECONDS) throw invalid;
  return sign === '-' ? -total : total;
}
