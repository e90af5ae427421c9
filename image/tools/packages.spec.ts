import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { forgetKept, keptPackages, outdated, parseStatus, removeUnusedDownloads } from './packages.ts';

const work = mkdtempSync(join(tmpdir(), 'packages-'));
afterAll(() => rmSync(work, { recursive: true }));

const status = `Package: zstd
Status: install ok installed
Architecture: amd64
Version: 1.5.7+dfsg-1

Package: gone
Status: deinstall ok config-files
Architecture: amd64
Version: 1

Package: cryptsetup
Status: install ok installed
Architecture: amd64
Multi-Arch: foreign
Version: 2:2.7.5-2
Description: disk encryption support
 Version: this line is text
`;
const zstd = { name: 'zstd', version: '1.5.7+dfsg-1', architecture: 'amd64' };
const cryptsetup = { name: 'cryptsetup', version: '2:2.7.5-2', architecture: 'amd64' };

function put(path: string, text: string): void {
  mkdirSync(dirname(join(work, path)), { recursive: true });
  writeFileSync(join(work, path), text);
}

describe('the Debian packages of an image', () => {
  it("are the installed ones of dpkg's status, by name", () => {
    expect(parseStatus(status)).toEqual([cryptsetup, zstd]);
    expect(parseStatus('')).toEqual([]);
  });

  it('are kept apart for the system and its initrd', () => {
    expect(keptPackages(work)).toEqual({ main: [], initrd: [] });
    put('cache/debian~trixie~x86-64.cache/var/lib/dpkg/status', status);
    put('cache/debian~trixie~x86-64~default-initrd.cache/var/lib/dpkg/status', '');
    mkdirSync(join(work, 'cache/debian~trixie~x86-64.metadata.cache'));
    expect(keptPackages(work)).toEqual({ main: [cryptsetup, zstd], initrd: [] });
  });

  it('are outdated when the archive has another version, or has them no more', () => {
    const candidates = new Map([['zstd', zstd.version]]);
    expect(outdated([zstd, cryptsetup], candidates)).toEqual([cryptsetup]);
    candidates.set('cryptsetup', '2:2.7.5-2+deb13u1');
    expect(outdated([zstd, cryptsetup], candidates)).toEqual([cryptsetup]);
    candidates.set('cryptsetup', cryptsetup.version);
    expect(outdated([zstd, cryptsetup], candidates)).toEqual([]);
  });

  it('take their downloads along when they go', () => {
    const archives = 'packages/cache/apt/archives';
    for (const name of [
      'zstd_1.5.7+dfsg-1_amd64.deb',
      'zstd_1.5.6_amd64.deb',
      'cryptsetup_2%3a2.7.5-2_amd64.deb',
      'lock',
    ])
      put(`${archives}/${name}`, '');
    removeUnusedDownloads(work, [zstd, cryptsetup]);
    expect(readdirSync(join(work, archives)).toSorted()).toEqual([
      'cryptsetup_2%3a2.7.5-2_amd64.deb',
      'lock',
      'zstd_1.5.7+dfsg-1_amd64.deb',
    ]);
    forgetKept(work);
    expect(existsSync(join(work, 'cache'))).toBe(false);
  });
});
