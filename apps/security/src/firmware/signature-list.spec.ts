import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseSignatureDatabase } from './signature-list.ts';

const x509 = 'a159c0a5e494a74a87b5ab155c2bf072';
const sha256 = '2616c4c14c509240aca941f936934328';
const owner = 'bd9afa775903324dbd6028f4e78f784b';

/** One list as firmware stores it. */
function list(type: string, entries: readonly Buffer[], header = Buffer.alloc(0)): Buffer {
  const size = (entries[0]?.length ?? 0) + 16;
  const head = Buffer.alloc(28);
  head.write(type, 0, 'hex');
  head.writeUInt32LE(28 + header.length + size * entries.length, 16);
  head.writeUInt32LE(header.length, 20);
  head.writeUInt32LE(size, 24);
  return Buffer.concat([head, header, ...entries.flatMap((entry) => [Buffer.from(owner, 'hex'), entry])]);
}

describe('parseSignatureDatabase', () => {
  it('reads certificates and hashes with their owners from several lists', () => {
    const data = Buffer.concat([
      list(x509, [Buffer.from('first')], Buffer.from('header')),
      list(sha256, [Buffer.alloc(32, 1), Buffer.alloc(32, 2)]),
    ]);
    expect(parseSignatureDatabase(data)).toEqual({
      problems: [],
      signatures: [
        { owner: '77fa9abd-0359-4d32-bd60-28f4e78f784b', kind: 'x509', data: Buffer.from('first') },
        { owner: '77fa9abd-0359-4d32-bd60-28f4e78f784b', kind: 'hash', data: Buffer.alloc(32, 1) },
        { owner: '77fa9abd-0359-4d32-bd60-28f4e78f784b', kind: 'hash', data: Buffer.alloc(32, 2) },
      ],
    });
  });

  it('takes a variable without content for an empty database', () => {
    expect(parseSignatureDatabase(Buffer.alloc(0))).toEqual({ signatures: [], problems: [] });
  });

  it('passes over a list of an unknown type and reads on', () => {
    const { signatures, problems } = parseSignatureDatabase(
      Buffer.concat([list('00'.repeat(16), [Buffer.from('x')]), list(x509, [Buffer.from('known')])]),
    );
    expect(signatures.map(({ data }) => String(data))).toEqual(['known']);
    expect(problems).toEqual([
      'the signature list at byte 0 has the unknown type 00000000-0000-0000-0000-000000000000',
    ]);
  });

  it('keeps what comes before a list that is cut short', () => {
    const whole = Buffer.concat([list(x509, [Buffer.from('whole')]), list(x509, [Buffer.from('other')])]);
    const { signatures, problems } = parseSignatureDatabase(whole.subarray(0, whole.length - 2));
    expect(signatures.map(({ data }) => String(data))).toEqual(['whole']);
    expect(problems).toEqual(['the signature list at byte 49 lies about its size']);
  });

  it.each([
    { what: 'a list size below its header', at: 16, value: 27 },
    { what: 'a list size of nothing', at: 16, value: 0 },
    { what: 'a list size of 4 GiB', at: 16, value: 0xffffffff },
    { what: 'a header larger than the list', at: 20, value: 0xffffffff },
    { what: 'entries without content', at: 24, value: 16 },
    { what: 'entries of no size', at: 24, value: 0 },
  ])('survives $what', ({ at, value }) => {
    const data = list(x509, [Buffer.from('entry')]);
    data.writeUInt32LE(value, at);
    expect(parseSignatureDatabase(data)).toEqual({
      signatures: [],
      problems: ['the signature list at byte 0 lies about its size'],
    });
  });

  it('returns every certificate that was put in, whatever their number and size', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 }),
        (certificates) => {
          const data = Buffer.concat(
            certificates.map((certificate) => list(x509, [Buffer.from(certificate)])),
          );
          const { signatures, problems } = parseSignatureDatabase(data);
          expect(problems).toEqual([]);
          expect(signatures.map((signature) => [...signature.data])).toEqual(
            certificates.map((certificate) => [...certificate]),
          );
        },
      ),
    );
  });

  it('never throws and never reads outside of what it was given', () => {
    const base = Buffer.concat([list(x509, [Buffer.from('entry')]), list(sha256, [Buffer.alloc(32)])]);
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(base.length - 1), fc.nat(255)), { maxLength: 8 }),
        fc.nat(base.length),
        (changes, length) => {
          const data = Buffer.from(base);
          for (const [at, value] of changes) data[at] = value;
          const { signatures } = parseSignatureDatabase(data.subarray(0, length));
          const total = signatures.reduce((sum, signature) => sum + signature.data.length, 0);
          expect(total).toBeLessThanOrEqual(length);
        },
      ),
    );
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 500 }),
        (bytes) => void parseSignatureDatabase(Buffer.from(bytes)),
      ),
    );
  });
});
