/**
 * `EFI_SIGNATURE_LIST`s, the form of PK, KEK, db and dbx (UEFI 2.10, 32.4.1).
 *
 * Firmware in the field carries lists that are cut short or of unknown kinds; what can be read is read and the rest
 * is said in `problems`.
 */
import { readGuid } from './guid.ts';

/** One entry of a list. */
export interface Signature {
  /** GUID of who added it. */
  readonly owner: string;
  /** What `data` is: a certificate in DER, or a hash that no certificate belongs to. */
  readonly kind: 'x509' | 'hash';
  readonly data: Buffer;
}

export interface SignatureDatabase {
  readonly signatures: readonly Signature[];
  /** What could not be read, as sentences. */
  readonly problems: readonly string[];
}

const headerBytes = 28;
const ownerBytes = 16;

const x509 = 'a5c059a1-94e4-4aa7-87b5-ab155c2bf072';

/** Hashes of programs and of certificates. */
const hashes: ReadonlySet<string> = new Set([
  '826ca512-cf10-4ac9-b187-be01496631bd', // SHA-1
  '0b6e5233-a65c-44c9-9407-d9ab83bfc8bd', // SHA-224
  'c1c41626-504c-4092-aca9-41f936934328', // SHA-256
  'ff3e5307-9fd0-48c9-85f1-8ad56c701e01', // SHA-384
  '093e0fae-a6c4-4f50-9f1b-d41e2b89c19a', // SHA-512
  '3bd2a492-96c0-4079-b420-fcf98ef103ed', // SHA-256 of a certificate
  '7076876e-80c2-4ee6-aad2-28b349a6865b', // SHA-384 of a certificate
  '446dbf63-2502-4cda-bcfa-2465d2b0fe9d', // SHA-512 of a certificate
]);

/** Reads a variable's data; never throws. */
export function parseSignatureDatabase(data: Buffer): SignatureDatabase {
  const signatures: Signature[] = [];
  const problems: string[] = [];
  let offset = 0;
  while (offset < data.length) {
    if (data.length - offset < headerBytes) {
      problems.push(`a signature list at byte ${offset} is cut short`);
      break;
    }
    const type = readGuid(data, offset);
    const listSize = data.readUInt32LE(offset + 16);
    const headerSize = data.readUInt32LE(offset + 20);
    const entrySize = data.readUInt32LE(offset + 24);
    const end = offset + listSize;
    const first = offset + headerBytes + headerSize;
    if (listSize < headerBytes || end > data.length || first > end || entrySize <= ownerBytes) {
      problems.push(`the signature list at byte ${offset} lies about its size`);
      break;
    }
    if ((end - first) % entrySize !== 0)
      problems.push(`the signature list at byte ${offset} ends with a part of an entry`);
    const kind = type === x509 ? 'x509' : hashes.has(type) ? 'hash' : undefined;
    if (kind === undefined)
      problems.push(`the signature list at byte ${offset} has the unknown type ${type}`);
    else {
      for (let entry = first; entry + entrySize <= end; entry += entrySize) {
        const owner = readGuid(data, entry);
        signatures.push({ owner, kind, data: data.subarray(entry + ownerBytes, entry + entrySize) });
      }
    }
    offset = end;
  }
  return { signatures, problems };
}
