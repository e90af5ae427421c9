import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError } from '../feed-error.ts';
import { canonicalLines, readSignedEntity, readTextContent } from './mime-entity.ts';

function detached(contentType: string, parts: string, boundary = 'b'): Buffer {
  const signature = 'Content-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nAAEC\n';
  return Buffer.from(
    `Content-Type: ${contentType}\n\n--${boundary}\n${parts}\n--${boundary}\n${signature}\n--${boundary}--\n`,
  );
}

describe('a signed MIME message', () => {
  it.each([
    'multipart/signed; boundary=b',
    'multipart/signed; boundary="b"',
    'MULTIPART/Signed; protocol="x;boundary=y"; Boundary="b"',
    'multipart/signed; micalg="sha-256";\n boundary="b"',
    'multipart/signed; micalg="sha-256";\r\n\tboundary=b',
  ])('is taken apart with the header %j', (contentType) => {
    const { cms, content } = readSignedEntity(detached(contentType, 'line 1\nline 2'));
    expect(content?.toString()).toBe('line 1\nline 2');
    expect([...cms]).toEqual([0, 1, 2]);
  });

  it('keeps every byte of the content but the line break before the boundary', () => {
    const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
    fc.assert(
      fc.property(bytes, (content) => {
        const text = content.toString('latin1');
        fc.pre(!text.includes('--boundary-of-this-test'));
        const message = Buffer.concat([
          Buffer.from(
            'Content-Type: multipart/signed; boundary="boundary-of-this-test"\n\n--boundary-of-this-test\n',
          ),
          content,
          Buffer.from(
            '\n--boundary-of-this-test\nContent-Type: application/pkcs7-signature\nContent-Transfer-Encoding: base64\n\nAAEC\n--boundary-of-this-test--\n',
          ),
        ]);
        expect(readSignedEntity(message).content?.toString('latin1')).toBe(text.replace(/\r$/u, ''));
      }),
    );
  });

  it('needs exactly two parts', () => {
    expect(() => readSignedEntity(detached('multipart/signed; boundary=b', 'a\n--b\nc'))).toThrow(
      'two parts',
    );
    expect(() =>
      readSignedEntity(Buffer.from('Content-Type: multipart/signed; boundary=b\n\n--b\na\n')),
    ).toThrow('cut short');
  });

  it('is refused in an instant, however senseless and long', () => {
    const long = 1_000_000;
    for (const text of [
      '\r'.repeat(long),
      ';'.repeat(long),
      `Content-Type: ${';'.repeat(long)}\n\n`,
      '\n \t'.repeat(long),
      '"'.repeat(long),
    ]) {
      expect(() => readSignedEntity(Buffer.from(text))).toThrow(FeedError);
    }
    const returns = detached('multipart/signed; boundary=b', '\r'.repeat(long));
    expect(canonicalLines(readSignedEntity(returns).content ?? Buffer.alloc(0)).length).toBeGreaterThan(
      long - 2,
    );
  });

  it('gives parts or a reason for any text', () => {
    const piece = fc.constantFrom(
      '--b',
      '\n',
      '\r\n',
      'Content-Type: ',
      'multipart/signed; boundary=b',
      ';',
      '"',
      '=',
      'x',
      '--',
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 60 }), (pieces) => {
        try {
          readSignedEntity(Buffer.from(pieces.join('')));
        } catch (error) {
          expect(error).toBeInstanceOf(FeedError);
        }
      }),
    );
  });
});

describe('line ends', () => {
  it('become those of mail', () => {
    expect(canonicalLines(Buffer.from('a\nb\r\nc\r\r\n\nd\re\r')).toString()).toBe(
      'a\r\nb\r\nc\r\n\r\nd\re\r',
    );
  });

  it('stay what they are the second time', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('\r', '\n', 'x', ''), { maxLength: 40 }), (pieces) => {
        const once = canonicalLines(Buffer.from(pieces.join('')));
        expect(canonicalLines(once)).toEqual(once);
        expect(once.toString().replaceAll('\r', '')).toBe(pieces.join('').replaceAll('\r', ''));
      }),
    );
  });
});

describe('signed text', () => {
  it('is taken with or without a header', () => {
    expect(readTextContent(Buffer.from('{"a":1}'))).toBe('{"a":1}');
    expect(readTextContent(Buffer.from('Content-Type: text/plain\r\n\r\n{"a":1}'))).toBe('{"a":1}');
  });

  it('is not taken for text when its header says otherwise', () => {
    expect(() => readTextContent(Buffer.from('Content-Type: text/html\n\n<p>'))).toThrow('is not text');
    expect(() => readTextContent(Buffer.from('nothing'))).toThrow(FeedError);
  });
});
