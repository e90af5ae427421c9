import fc from 'fast-check';
import { createHash } from 'node:crypto';
import { expect, test } from 'vitest';
import { formatStateFile, parseStateFile } from './state-file.ts';

const data = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.string(),
    fc.boolean(),
    fc.integer(),
    fc.bigInt(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 4 }),
    fc.dictionary(
      fc.oneof(fc.string(), fc.constantFrom('$bigint', '$$bigint', '$', 'bigint')),
      tie('value'),
      {
        maxKeys: 4,
        noNullPrototype: true,
      },
    ),
  ),
})).value;

const envelope = { version: 1, sequence: 1, saved_at: '2026-10-01T00:00:00.000Z', reason: 'test' };

test('whatever data a service has comes back from the file as it was', () => {
  fc.assert(
    fc.property(data, (value) => {
      const parsed = parseStateFile(formatStateFile({ ...envelope, data: value }), 'state.json', 1);
      expect(parsed).toStrictEqual({ ...envelope, data: value });
    }),
  );
});

test('a file with any one byte changed is refused', () => {
  const text = formatStateFile({ ...envelope, data: { name: 'x', size: 5n } });
  fc.assert(
    fc.property(fc.nat(text.length - 2), fc.constantFrom('0', 'x', ' ', '\n', '"'), (index, replacement) => {
      fc.pre(text[index] !== replacement);
      const altered = text.slice(0, index) + replacement + text.slice(index + 1);
      expect(() => parseStateFile(altered, 'state.json', 1)).toThrow(/state\.json/u);
    }),
  );
});

test('a file with the right checksum that holds no state is refused', () => {
  for (const body of [
    '',
    '[]',
    '{"version":0}',
    '{',
    '{"version":1,"sequence":1}',
    '{"data":{"$bigint":"x"}}',
    'null',
  ]) {
    const text = `${body}\nsha256:${createHash('sha256').update(body).digest('hex')}\n`;
    expect(() => parseStateFile(text, 'state.json', 1), body).toThrow("doesn't hold a state");
  }
});
