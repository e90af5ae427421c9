/**
 * Seeds as a tar archive written straight to a device.
 *
 * The device is much larger than what is on it, so no more is read than the archive's members up to the one that is
 * wanted, and never more than {@link largestArchive}.
 */
import { type Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Files } from '@incusos/host';
import type { Extract } from 'tar-stream';
import { SeedError } from '../seed-error.ts';
import { largestSeed, type SeedFile, type SeedFormat } from './seed-medium.ts';

/** Bytes; the partition `seed-data` has 100 MiB. */
const largestArchive = 128 * 1024 * 1024;

const block = 512;

export const tarArchive: SeedFormat = {
  async open({ files }, device) {
    const start = await buffer(files.readStream(device, { end: block - 1 })).catch((error: unknown) => {
      throw new SeedError(device, '', `can't be read: ${asError(error).message}`, { cause: error });
    });
    if (start.toString('latin1', 257, 262) !== 'ustar') return undefined;
    return { find: (names) => findMember(files, device, names) };
  },
};

async function findMember(
  files: Files,
  device: string,
  names: readonly string[],
): Promise<SeedFile | undefined> {
  const { extract } = await import('tar-stream');
  const archive = extract();
  const source = files.readStream(device, { end: largestArchive - 1 });
  const fed = feed(source, archive).catch((error: unknown) => archive.destroy(asError(error)));
  try {
    for await (const member of archive) {
      const name = member.header.name.replace(/^(?:\.\/)+/u, '');
      if (member.header.type !== 'file' || !names.includes(name)) {
        member.resume();
      } else if (member.header.size > largestSeed) {
        throw new SeedError(name, '', `is larger than ${largestSeed} bytes`);
      } else {
        return { name, content: await contentOf(member) };
      }
    }
    return undefined;
  } catch (error) {
    throw error instanceof SeedError ? error : new SeedError(device, '', problemOf(error), { cause: error });
  } finally {
    archive.destroy();
    source.destroy();
    await fed;
  }
}

/** Hands the archive to its reader piece by piece, and ends at the zeros after its last member. */
async function feed(source: Readable, archive: Extract): Promise<void> {
  let membersOpen = 0;
  archive.on('entry', (_header, member) => {
    membersOpen += 1;
    member.on('close', () => (membersOpen -= 1));
  });
  const closed = new Promise<void>((resolve) => archive.once('close', () => resolve()));
  for await (const piece of source as AsyncIterable<Buffer>) {
    // Two zero blocks end an archive; what follows on the device is no part of it.
    if (membersOpen === 0 && piece.length >= 2 * block && isZero(piece)) break;
    if (archive.write(piece)) continue;
    // Drained, the reader has announced every member that begins in this piece.
    const drained = new Promise<void>((resolve) => archive.once('drain', () => resolve()));
    await Promise.race([drained, closed]);
    if (archive.destroyed) return;
  }
  archive.end(undefined);
}

async function contentOf(member: AsyncIterable<unknown>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of member) pieces.push(piece as Uint8Array);
  return Buffer.concat(pieces);
}

function isZero(piece: Uint8Array): boolean {
  return piece.every((byte) => byte === 0);
}

function problemOf(error: unknown): string {
  const { message } = asError(error);
  if (/unexpected end/iu.test(message)) return 'the seed archive ends in the middle of a member';
  if (/header/iu.test(message)) return 'the seed archive is damaged';
  return `the seed archive can't be read: ${message}`;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
