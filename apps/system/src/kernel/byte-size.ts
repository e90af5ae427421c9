/** Sizes as Incus writes them: digits with an optional unit, `kB` … `EB` in powers of 1000, `KiB` … `EiB` of 1024. */

const largest = 2n ** 63n - 1n;
const mostDigits = 32;

const multipliers: ReadonlyMap<string, bigint> = new Map(
  Object.entries({
    '': 1n,
    B: 1n,
    ' bytes': 1n,
    kB: 1000n,
    MB: 1000n ** 2n,
    GB: 1000n ** 3n,
    TB: 1000n ** 4n,
    PB: 1000n ** 5n,
    EB: 1000n ** 6n,
    KiB: 1024n,
    MiB: 1024n ** 2n,
    GiB: 1024n ** 3n,
    TiB: 1024n ** 4n,
    PiB: 1024n ** 5n,
    EiB: 1024n ** 6n,
  }),
);

/**
 * @returns bytes; 0 for an empty text.
 * @throws Error saying what is wrong with the text.
 */
export function parseByteSize(text: string): bigint {
  if (text === '') return 0n;
  const match = /^(\d+)(.*)$/su.exec(text);
  if (match === null) throw new Error(`Invalid value: ${text}`);
  const [, digits = '', suffix = ''] = match;
  // A size has 19 digits at most, and turning very many into a number takes long.
  if (digits.length > mostDigits) throw new Error('Invalid value: it has too many digits');
  const multiplier = multipliers.get(suffix);
  if (multiplier === undefined) throw new Error(`Unsupported suffix: ${suffix}`);
  const size = BigInt(digits) * multiplier;
  if (size > largest) throw new Error(`Invalid value: ${text} is larger than a size can be`);
  return size;
}
