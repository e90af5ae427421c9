import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIndex } from './release-index.ts';
import {
  applicationFile,
  hasOperatingSystem,
  secureBootFile,
  selectRelease,
  type Selection,
} from './select-release.ts';
import { feedIndex, type ReleaseSketch } from './testing/feed.ts';

const machine: Selection = { channel: 'stable', runningRelease: '202501010000', architecture: 'x86_64' };

function select(
  releases: readonly ReleaseSketch[],
  selection: Partial<Selection> = {},
): ReturnType<typeof selectRelease> {
  const sketches = releases.map((sketch) => ({ architectures: ['x86_64', 'aarch64'] as const, ...sketch }));
  return selectRelease(parseIndex(feedIndex(sketches)), { ...machine, ...selection });
}

describe('the release for a machine', () => {
  it('is the newest of its channel', () => {
    const { release, channelExists } = select([
      { version: '202504010000', channels: ['testing'] },
      { version: '202503010000', channels: ['testing', 'stable'] },
      { version: '202502010000' },
    ]);
    expect(release?.version).toBe('202503010000');
    expect(channelExists).toBe(true);
  });

  it('is the newest of all without a channel', () => {
    const releases = [{ version: '202504010000', channels: ['testing'] }, { version: '202503010000' }];
    expect(select(releases, { channel: '' }).release?.version).toBe('202504010000');
  });

  it('is the running one when its channel has nothing newer, even if it left the channel', () => {
    const releases = [{ version: '202503010000', channels: ['testing'] }, { version: '202502010000' }];
    expect(select(releases, { runningRelease: '202503010000' }).release?.version).toBe('202503010000');
  });

  it('has only files for the architecture, and those for all', () => {
    const files = ['IncusOS_202502010000.efi.gz', 'SecureBootKeys_202502010000.tar'];
    const { release } = select([{ version: '202502010000', files }], { architecture: 'aarch64' });
    expect(release?.files.map(({ filename }) => filename)).toContain('aarch64/IncusOS_202502010000.efi.gz');
    expect(release?.files.every(({ architecture }) => ['aarch64', ''].includes(architecture))).toBe(true);
  });

  it('passes over releases without files for the architecture', () => {
    const releases = [
      { version: '202503010000', architectures: ['aarch64'] as const },
      { version: '202502010000', files: [] },
      { version: '202501150000' },
    ];
    expect(select(releases).release?.version).toBe('202501150000');
  });

  it('is none when nothing suits, and it is said whether the channel has anything', () => {
    expect(select([])).toEqual({ release: undefined, channelExists: false });
    expect(select([{ version: '202503010000', channels: ['testing'] }])).toEqual({
      release: undefined,
      channelExists: false,
    });
    expect(select([{ version: '202503010000', files: [] }])).toEqual({
      release: undefined,
      channelExists: true,
    });
  });

  it('is never older than another that suits', () => {
    const version = fc.integer({ min: 202501010000, max: 202612312359 }).map(String);
    const channels = fc.subarray(['stable', 'testing']);
    const sketch = fc.record({ version, channels });
    fc.assert(
      fc.property(
        fc.array(sketch, { maxLength: 8 }),
        fc.constantFrom('stable', 'testing', ''),
        (releases, channel) => {
          const suitable = releases.filter(
            (entry) => channel === '' || entry.channels.some((name) => name === channel),
          );
          const newest = suitable
            .map((entry) => entry.version)
            .toSorted()
            .at(-1);
          expect(select(releases, { channel, runningRelease: 'none' }).release?.version).toBe(newest);
        },
      ),
    );
  });
});

describe('what a release brings', () => {
  it('tells the operating system, applications and Secure Boot keys apart', () => {
    const full = [
      'IncusOS_202502010000.efi.gz',
      'incus.raw.gz',
      'incus-ceph.raw.gz',
      'SecureBootKeys_202502010000.tar',
    ];
    const { release } = select([{ version: '202502010000', files: full }]);
    if (release === undefined) throw new Error('nothing selected');
    expect(hasOperatingSystem(release)).toBe(true);
    expect(applicationFile(release, 'incus')?.filename).toBe('x86_64/incus.raw.gz');
    expect(applicationFile(release, 'incus-ceph')?.filename).toBe('x86_64/incus-ceph.raw.gz');
    expect(applicationFile(release, 'ceph')).toBeUndefined();
    expect(secureBootFile(release)?.filename).toBe('SecureBootKeys_202502010000.tar');
  });

  it('misses what is not there', () => {
    const { release } = select([{ version: '202502010000', files: ['openfga.raw.gz'] }]);
    if (release === undefined) throw new Error('nothing selected');
    expect(hasOperatingSystem(release)).toBe(false);
    expect(secureBootFile(release)).toBeUndefined();
  });
});
