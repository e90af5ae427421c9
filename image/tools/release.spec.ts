import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { assetKind } from '@incusos/images';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeRelease, releaseName } from './release.ts';
import { usrRootHash, usrSize } from './results.ts';

const version = '202611200705';
const uuid = '0e05f4a09ee77e0b50af9d6cd465ea24';
const hash = 'ab'.repeat(32);
let directory = '';

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'release-'));
  const put = (ending: string, content: Buffer | string): void =>
    writeFileSync(join(directory, `IncusOS_${version}.${ending}`), content);
  put('raw', 'disk');
  put('efi', 'kernel');
  put('manifest.json', '{}');
  put('cdx.json', '{}');
  put(`usr-x86-64-verity.${uuid}.raw`, 'tree');
  const signature = Buffer.alloc(16_384);
  signature.write(JSON.stringify({ rootHash: hash, signature: 'MII}' }));
  put(`usr-x86-64-verity-sig.${uuid}.raw`, signature);
  const erofs = Buffer.alloc(4_096);
  erofs.writeUInt32LE(0xe0f5e1e2, 1_024);
  erofs.writeUInt8(12, 1_024 + 12);
  erofs.writeUInt32LE(91_000, 1_024 + 36);
  put(`usr-x86-64.${uuid}.raw`, erofs);
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the files of a release', () => {
  it('have the names by which a server of releases knows them', () => {
    const kinds = Object.fromEntries(
      readdirSync(directory).map((name) => [
        name.replace(`IncusOS_${version}.`, ''),
        assetKind(releaseName(name) ?? '')?.type,
      ]),
    );
    expect(kinds).toEqual({
      raw: 'image-raw',
      efi: 'update-efi',
      'manifest.json': 'image-manifest',
      'cdx.json': undefined,
      [`usr-x86-64-verity.${uuid}.raw`]: 'update-usr-verity',
      [`usr-x86-64-verity-sig.${uuid}.raw`]: 'update-usr-verity-signature',
      [`usr-x86-64.${uuid}.raw`]: 'update-usr',
    });
    expect(releaseName('notes.txt')).toBeUndefined();
  });

  it('are the compressed files of the image, the same bytes each time', async () => {
    const target = await makeRelease(directory, version, 'amd64', () => undefined);
    expect(target).toBe(join(directory, 'release', version, 'x86_64'));
    const read = (): Record<string, Buffer> =>
      Object.fromEntries(readdirSync(target).map((name) => [name, readFileSync(join(target, name))]));
    const first = read();
    expect(Object.keys(first)).toHaveLength(7);
    expect(gunzipSync(first[`IncusOS_${version}.img.gz`] ?? '').toString()).toBe('disk');
    await makeRelease(directory, version, 'amd64', () => undefined);
    expect(read()).toEqual(first);
  });
});

describe('a finished image', () => {
  it('tells its root hash and how much of the slot /usr takes', () => {
    expect(usrRootHash(directory)).toBe(hash);
    expect(usrSize(directory)).toBe(91_000 * 4_096);
  });

  it('is refused when /usr is no erofs', () => {
    writeFileSync(join(directory, `IncusOS_${version}.usr-x86-64.${uuid}.raw`), Buffer.alloc(4_096));
    expect(() => usrSize(directory)).toThrow('is not a file system of erofs');
  });
});
