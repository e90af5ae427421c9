import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseByteSize } from './byte-size.ts';

describe('sizes', () => {
  it('are bytes with powers of 1000 or 1024', () => {
    expect(parseByteSize('')).toBe(0n);
    expect(parseByteSize('0')).toBe(0n);
    expect(parseByteSize('512MiB')).toBe(512n * 1024n ** 2n);
    expect(parseByteSize('2GB')).toBe(2n * 1000n ** 3n);
    expect(parseByteSize('5 bytes')).toBe(5n);
  });

  it('are refused without digits, with an unknown unit, and when larger than a size can be', () => {
    expect(() => parseByteSize('MiB')).toThrow('Invalid value: MiB');
    expect(() => parseByteSize('-1')).toThrow('Invalid value: -1');
    expect(() => parseByteSize('1mib')).toThrow('Unsupported suffix: mib');
    expect(() => parseByteSize('9EiB')).toThrow('is larger than a size can be');
    expect(() => parseByteSize('1constructor')).toThrow('Unsupported suffix: constructor');
    expect(() => parseByteSize('9'.repeat(1_000_000))).toThrow('it has too many digits');
  });

  it('come back from what was written in bytes', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), (size) => {
        expect(parseByteSize(String(size))).toBe(size);
        expect(parseByteSize(`${size}B`)).toBe(size);
      }),
    );
  });

  it('never fail in another way than by saying so', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          expect(parseByteSize(text)).toBeGreaterThanOrEqual(0n);
        } catch (error) {
          expect((error as Error).message).toMatch(/^(?:Invalid value|Unsupported suffix)/u);
        }
      }),
    );
  });
});
