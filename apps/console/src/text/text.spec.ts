import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cut, pad, widthOf, wrap } from './fit.ts';
import { printable } from './printable.ts';

/** Anything, and more often what terminals take for orders. */
const hostile = fc
  .array(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(
        '\u001B[2J',
        '\u009B5A',
        '\u001B]0;x\u0007',
        '\r\n',
        '\u202E',
        'a\u0301',
        '漢字',
        '👩‍👩‍👧',
        '\uD800',
        '🇩🇪',
      ),
    ),
  )
  .map((parts) => parts.join(''));

describe('printable text', () => {
  it('shows what would be an order to the terminal', () => {
    expect(printable('\u001B[31mred\u0007 \u009B2J')).toBe('\\x1b[31mred\\x07 \\x9b2J');
  });

  it('is one line', () => {
    expect(printable('a\r\nb\tc\u2028d\n')).toBe('a b c d');
  });

  it('has no characters that turn others around or lie above them', () => {
    expect(printable('a\u202Eb\u200Bc')).toBe('abc');
    expect(printable('e\u0301')).toBe('é');
    expect(printable('q\u0301')).toBe('q');
  });

  it('controls no terminal, whatever it was made of', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        expect(printable(text)).toMatch(/^[^\p{C}\p{M}\p{Zl}\p{Zp}]*$/u);
      }),
    );
  });

  it('stays as it is', () => {
    fc.assert(
      fc.property(hostile, (text) => {
        const once = printable(text).slice(0, 500).toWellFormed().replaceAll('\uFFFD', '').trimEnd();
        expect(printable(once)).toBe(once);
      }),
    );
  });
});

describe('text and columns', () => {
  const text = hostile.map(printable);
  const columns = fc.integer({ min: 0, max: 120 });

  it('is cut to the columns that there are, never within a character', () => {
    expect(cut('server01.example.net', 12)).toBe('server01....');
    expect(cut('漢字漢字', 5)).toBe('漢字');
    expect(cut('漢字漢字', 7)).toBe('漢字...');
    fc.assert(
      fc.property(text, columns, (given, width) => {
        expect(widthOf(cut(given, width))).toBeLessThanOrEqual(width);
        expect(cut(given, width).isWellFormed()).toBe(true);
      }),
    );
  });

  it('fills the columns exactly', () => {
    fc.assert(
      fc.property(text, columns, (given, width) => {
        expect(widthOf(pad(given, width))).toBe(width);
      }),
    );
  });

  it('is broken between words into lines that fit, and loses nothing but spaces', () => {
    expect(wrap('waiting for network, storage', 12)).toEqual(['waiting for', 'network,', 'storage']);
    fc.assert(
      fc.property(text, fc.integer({ min: 2, max: 120 }), (given, width) => {
        const lines = wrap(given, width);
        for (const line of lines) expect(widthOf(line)).toBeLessThanOrEqual(width);
        const letters = (some: string): string => some.replaceAll(' ', '');
        expect(letters(lines.join(''))).toBe(letters(given));
      }),
    );
  });
});
