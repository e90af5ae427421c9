import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalFiles } from './files.ts';
import { parseOsRelease, readOsRelease } from './os-release.ts';

describe('os-release', () => {
  let directory: string;
  let files: LocalFiles;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'os-release-'));
    files = new LocalFiles(directory);
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it('is read with and without quotes, and what is no variable is left out', () => {
    const text =
      '# comment\nNAME="Incus \\"OS\\""\nIMAGE_ID=IncusOS\nIMAGE_VERSION=\'202611120410\'\nnonsense\n';
    expect([...parseOsRelease(text)]).toEqual([
      ['NAME', 'Incus "OS"'],
      ['IMAGE_ID', 'IncusOS'],
      ['IMAGE_VERSION', '202611120410'],
    ]);
  });

  it("is the image's own unless the machine has another", async () => {
    await files.writeAtomic('/usr/lib/os-release', 'NAME=Image\n');
    expect((await readOsRelease(files)).get('NAME')).toBe('Image');
    await files.writeAtomic('/etc/os-release', 'NAME=Machine\n');
    expect((await readOsRelease(files)).get('NAME')).toBe('Machine');
  });

  it('that is nowhere is an error', async () => {
    await expect(readOsRelease(files)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
