/** What a finished image tells of itself. */
import { closeSync, openSync, readFileSync, readSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { UserError } from './sentence.ts';

/** The file of an image's directory with this ending. @throws UserError when it is missing. */
function fileOf(directory: string, pattern: RegExp): string {
  const name = readdirSync(directory).find((entry) => pattern.test(entry));
  if (name === undefined) throw new UserError(`${directory} has no file like ${pattern.source}.`);
  return join(directory, name);
}

/** The root hash of the hash tree of `/usr`, 64 hex digits: the same for the same `/usr`. */
export function usrRootHash(directory: string): string {
  const text = readFileSync(fileOf(directory, /\.usr-[a-z0-9-]+-verity-sig\./u), 'utf8');
  // The partition is filled up with zeros behind its JSON.
  const { rootHash } = JSON.parse(text.slice(0, text.lastIndexOf('}') + 1)) as { readonly rootHash: string };
  return rootHash;
}

const superblockAt = 1024;
const erofsMagic = 0xe0f5e1e2;

/** How much of its slot `/usr` takes, in bytes, by the superblock of erofs. */
export function usrSize(directory: string): number {
  const path = fileOf(directory, /\.usr-(?:x86-64|arm64)\./u);
  const file = openSync(path, 'r');
  try {
    const block = Buffer.alloc(64);
    readSync(file, block, 0, block.length, superblockAt);
    if (block.readUInt32LE(0) !== erofsMagic) throw new UserError(`${path} is not a file system of erofs.`);
    return block.readUInt32LE(36) * 2 ** block.readUInt8(12);
  } finally {
    closeSync(file);
  }
}
