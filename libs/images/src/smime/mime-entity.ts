/**
 * The MIME layer of an S/MIME message (RFC 8551, sections 3.4 and 3.5): finds the CMS structure and the bytes that it
 * signs. Bytes are kept as they came, since signatures are made over bytes.
 */
import { FeedError } from '../feed-error.ts';

/** A signed message taken apart. */
export interface SignedEntity {
  /** The CMS structure, DER. */
  readonly cms: Uint8Array;
  /**
   * What a detached signature is made over, as it came. None when the signature carries its content (opaque:
   * `application/pkcs7-mime`).
   */
  readonly content: Buffer | undefined;
}

const maxHeaderLength = 16 * 1024;

interface Entity {
  readonly type: string;
  readonly parameters: ReadonlyMap<string, string>;
  readonly encoding: string;
  readonly body: string;
}

/**
 * Takes an S/MIME message apart: `multipart/signed`, the form of the public feed, or opaque.
 * @throws FeedError `malformed`.
 */
export function readSignedEntity(message: Uint8Array): SignedEntity {
  // One character a byte, so that nothing is lost.
  const entity = readEntity(Buffer.from(message).toString('latin1'));
  switch (entity.type) {
    case 'multipart/signed':
      return readDetached(entity);
    case 'application/pkcs7-mime':
    case 'application/x-pkcs7-mime':
      return { cms: decode(entity), content: undefined };
    default:
      throw malformed('it is not an S/MIME signed message');
  }
}

/**
 * Content with the line ends that mail has and that signatures of text are made over (RFC 8551, 3.1.1): CRLF, whatever
 * a server or an editor made of them.
 */
export function canonicalLines(content: Buffer): Buffer {
  const carriageReturn = 13;
  const lineFeed = 10;
  const result = Buffer.alloc(content.length + content.filter((byte) => byte === lineFeed).length);
  let length = 0;
  for (const byte of content) {
    if (byte === lineFeed) {
      while (result[length - 1] === carriageReturn) length -= 1;
      result[length] = carriageReturn;
      length += 1;
    }
    result[length] = byte;
    length += 1;
  }
  return result.subarray(0, length);
}

/**
 * The text that was signed, without the `Content-Type: text/plain` header that a publisher puts before it.
 * @throws FeedError `malformed` when it is of another type.
 */
export function readTextContent(content: Uint8Array): string {
  const text = new TextDecoder().decode(content);
  if (/^\s*[[{]/u.test(text)) return text;
  const { type, body } = readEntity(text);
  if (type !== 'text/plain' && type !== 'application/json') throw malformed('the signed content is not text');
  return body;
}

function readDetached({ parameters, body }: Entity): SignedEntity {
  const boundary = parameters.get('boundary');
  if (boundary === undefined) throw malformed('it names no boundary');
  const [content, signature, ...more] = splitParts(body, boundary);
  if (content === undefined || signature === undefined || more.length > 0) {
    throw malformed('it does not have two parts, the content and its signature');
  }
  const part = readEntity(signature);
  if (!/^application\/(?:x-)?pkcs7-signature$/u.test(part.type))
    throw malformed('its second part is not a signature');
  return { cms: decode(part), content: Buffer.from(content, 'latin1') };
}

/** The parts between delimiter lines; the line break before a delimiter belongs to it (RFC 2046, 5.1.1). */
function splitParts(body: string, boundary: string): string[] {
  const parts: string[] = [];
  const mark = `--${boundary}`;
  let from: number | undefined;
  let line = 0;
  while (line <= body.length) {
    const end = body.indexOf('\n', line);
    const next = end === -1 ? body.length + 1 : end + 1;
    const text = body.slice(line, end === -1 ? undefined : end).trimEnd();
    if (text === mark || text === `${mark}--`) {
      if (from !== undefined) parts.push(body.slice(from, Math.max(from, line)).replace(/\r?\n$/u, ''));
      if (text !== mark) return parts;
      from = next;
    }
    line = next;
  }
  throw malformed('it is cut short: its closing boundary is missing');
}

function readEntity(text: string): Entity {
  // Looked for in the beginning only: what comes from a server may be long and senseless.
  const gap = /\r?\n\r?\n/u.exec(text.slice(0, maxHeaderLength));
  if (gap === null) throw malformed('it is not an S/MIME signed message');
  const headers = new Map<string, string>();
  for (const line of text
    .slice(0, gap.index)
    .replaceAll(/\r?\n[ \t]+/gu, ' ')
    .split(/\r?\n/u)) {
    const colon = line.indexOf(':');
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const contentType = headers.get('content-type') ?? '';
  return {
    type: (contentType.split(';', 1)[0] ?? '').trim().toLowerCase(),
    parameters: readParameters(contentType),
    encoding: (headers.get('content-transfer-encoding') ?? '7bit').toLowerCase(),
    body: text.slice(gap.index + gap[0].length),
  };
}

/** The parameters after a content type: `; name=value; name="value"`. */
function readParameters(contentType: string): ReadonlyMap<string, string> {
  const found = contentType.matchAll(/;\s*(?<name>[^\s=;"]+)=(?:"(?<quoted>[^"]*)"|(?<plain>[^\s;"]*))/gu);
  return new Map(
    [...found].map(({ groups }) => [
      groups?.['name']?.toLowerCase() ?? '',
      groups?.['quoted'] ?? groups?.['plain'] ?? '',
    ]),
  );
}

function decode({ encoding, body }: Entity): Uint8Array {
  if (encoding !== 'base64') throw malformed('its signature is not encoded in base64');
  const compact = body.replaceAll(/\s/gu, '');
  if (compact === '' || !/^[A-Za-z0-9+/]+={0,2}$/u.test(compact))
    throw malformed('its signature is not base64');
  return Buffer.from(compact, 'base64');
}

function malformed(why: string): FeedError {
  return new FeedError('malformed', `the signed message can't be read: ${why}`);
}
