import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DurationError, parseDuration } from './duration.ts';

const SECOND = 1_000_000_000n;

describe('parseDuration', () => {
  it.each([
    ['0', 0n],
    ['6h', 6n * 3600n * SECOND],
    ['1h30m', 5400n * SECOND],
    ['250ms', SECOND / 4n],
    ['1.5s', (SECOND * 3n) / 2n],
    ['.5m', 30n * SECOND],
    ['1.h', 3600n * SECOND],
    ['-2m', -120n * SECOND],
    ['+1us1µs1μs1ns', 3001n],
    ['9223372036854775807ns', 2n ** 63n - 1n],
    ['0.3333333333333333333333h', 1_199_999_999_999n],
  ])('reads %s', (text, nanoseconds) => {
    expect(parseDuration(text)).toBe(nanoseconds);
  });

  it.each([
    ['', 'time: invalid duration ""'],
    ['10', 'time: missing unit in duration "10"'],
    ['1d', 'time: unknown unit "d" in duration "1d"'],
    ['1 h', 'time: unknown unit " h" in duration "1 h"'],
    ['h', 'time: invalid duration "h"'],
    ['-', 'time: invalid duration "-"'],
    ['.s', 'time: invalid duration ".s"'],
    ['9223372036854775808ns', 'time: invalid duration "9223372036854775808ns"'],
    ['1constructor', 'time: unknown unit "constructor" in duration "1constructor"'],
  ])('refuses %j in the words of Go', (text, message) => {
    expect(() => parseDuration(text)).toThrow(new DurationError(message));
  });

  it('adds up its parts', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.nat(59), fc.nat(59), fc.nat(999), (h, m, s, ms) => {
        const seconds = BigInt(h * 3600 + m * 60 + s);
        expect(parseDuration(`${h}h${m}m${s}s${ms}ms`)).toBe(seconds * SECOND + BigInt(ms) * 1_000_000n);
      }),
    );
  });

  it('throws nothing but its own error', () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseDuration(text);
        } catch (error) {
          expect(error).toBeInstanceOf(DurationError);
        }
      }),
    );
  });
});
