import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JsonError, parseRestJson } from './parse.ts';

describe('parseRestJson', () => {
  it('reads what JSON.parse reads', () => {
    fc.assert(
      fc.property(fc.json({ maxDepth: 10 }), (text) => {
        fc.pre(!/__proto__|\d{16}/.test(text));
        expect(parseRestJson(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it('keeps integers exact that a number could not hold', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(2n ** 128n), max: 2n ** 128n }), (integer) => {
        const [read] = parseRestJson(`[${integer}]`) as [number | bigint];
        expect(BigInt(read)).toBe(integer);
        expect(typeof read).toBe(Number.isSafeInteger(Number(integer)) ? 'number' : 'bigint');
      }),
    );
  });

  it('takes digits in strings and fractions for what they are', () => {
    expect(parseRestJson('{"a":"12345678901234567890","b":1.2345678901234567,"c":1e30}')).toEqual({
      a: '12345678901234567890',
      b: 1.2345678901234567,
      c: 1e30,
    });
  });

  it.each([
    ['{"a":1,}', 'invalid JSON at line 1, column 8'],
    ['{\n  "a" 1}', 'invalid JSON at line 2, column 7'],
    ['{"a":', 'invalid JSON: unexpected end of text'],
    ['', 'invalid JSON: unexpected end of text'],
    ['secret', 'invalid JSON at line 1, column 1'],
    ['{\n  "a": nul }', 'invalid JSON at line 2, column 11'],
    ['[true, tru , 1]', 'invalid JSON at line 1, column 11'],
  ])('says where %j goes wrong without quoting it', (text, message) => {
    expect(() => parseRestJson(text)).toThrow(new JsonError(message));
  });

  it.each([
    '{"__proto__":{"admin":true}}',
    String.raw`[{"\u005f_proto__":1}]`,
    String.raw`{"a":{"_\u005Fproto__":1}}`,
  ])('refuses the key that changes what an object inherits in %s', (text) => {
    expect(() => parseRestJson(text)).toThrow(
      new JsonError('invalid JSON: the key __proto__ is not allowed'),
    );
  });

  it('refuses deep nesting before it can exhaust the stack', () => {
    const nested = (depth: number): string => '[{"a":'.repeat(depth / 2) + '1' + '}]'.repeat(depth / 2);
    expect(() => parseRestJson(nested(64))).not.toThrow();
    expect(() => parseRestJson(nested(66))).toThrow(
      new JsonError('invalid JSON: nested more than 64 levels deep'),
    );
    expect(() => parseRestJson('['.repeat(5_000_000))).toThrow('nested more than 64 levels deep');
    expect(() => parseRestJson('[[1]]', { maxDepth: 1 })).toThrow('nested more than 1 levels deep');
  });

  it('counts no brackets in strings', () => {
    const text = JSON.stringify(['[{'.repeat(100), '\\', '"[[', 'x"{{']);
    expect(parseRestJson(text, { maxDepth: 1 })).toEqual(JSON.parse(text));
  });
});
