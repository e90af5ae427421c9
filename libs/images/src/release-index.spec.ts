import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FeedError } from './feed-error.ts';
import { parseIndex, parseUpdate } from './release-index.ts';
import { feedIndex, sketchRelease } from './testing/feed.ts';

const file = {
  architecture: 'x86_64',
  component: 'os',
  filename: 'x86_64/IncusOS_202511041601.efi.gz',
  sha256: 'a'.repeat(64),
  size: 4_000_000_000,
  type: 'update-efi',
};

function indexWith(change: Record<string, unknown>): string {
  const update = { ...sketchRelease({ version: '202511041601' }), files: [file], ...change };
  return JSON.stringify({ format: '1.0', updates: [update] });
}

describe('the index', () => {
  it('is read field for field', () => {
    const index = parseIndex(indexWith({ url: '/202511041601' }));
    expect(index).toEqual({
      format: '1.0',
      updates: [
        {
          format: '1.0',
          version: '202511041601',
          channels: ['stable'],
          files: [{ ...file, size: 4_000_000_000n }],
          origin: 'incusos.test',
          published_at: '2026-11-04T16:01:00Z',
          severity: 'none',
          url: '/202511041601',
        },
      ],
    });
  });

  it('lists the newest release first, however it was written', () => {
    const index = parseIndex(
      feedIndex([{ version: '202501010000' }, { version: '202503010000' }, { version: '202502010000' }]),
    );
    expect(index.updates.map(({ version }) => version)).toEqual([
      '202503010000',
      '202502010000',
      '202501010000',
    ]);
  });

  it('passes over what it does not know, and takes null for an empty list', () => {
    const index = parseIndex(
      indexWith({ channels: null, files: null, severity: 'apocalyptic', later: { x: 1 } }),
    );
    expect(index.updates[0]).toMatchObject({ channels: [], files: [], severity: 'apocalyptic' });
    expect(index.updates[0]).not.toHaveProperty('later');
    expect(parseIndex('{"format":"1.0","updates":null,"later":1}').updates).toEqual([]);
  });

  it.each([
    ['', 'is not JSON'],
    ['{', 'is not JSON'],
    ['null', 'the index is not an object'],
    ['[]', 'the index is not an object'],
    ['{}', 'format is missing'],
    ['{"format":"2.0","updates":[]}', "format is '2.0', this release knows '1.0'"],
    ['{"format":"1.0","updates":{}}', 'updates is not a list'],
    ['{"format":"1.0","updates":[1]}', 'updates[0] is not an object'],
    [indexWith({ version: 'latest' }), 'updates[0].version is not a version of twelve digits'],
    [indexWith({ version: 202511041601 }), 'updates[0].version is missing or not a string'],
    [indexWith({ channels: 'stable' }), 'updates[0].channels is not a list'],
    [indexWith({ channels: [1] }), 'updates[0].channels[0] is not a string'],
    [indexWith({ published_at: 'yesterday' }), 'updates[0].published_at is not a date'],
    [
      indexWith({ files: [{ ...file, filename: '../../etc/passwd' }] }),
      'updates[0].files[0].filename is not a file below',
    ],
    [indexWith({ files: [{ ...file, filename: '/etc/passwd' }] }), 'updates[0].files[0].filename'],
    [indexWith({ files: [{ ...file, filename: 'a?b' }] }), 'updates[0].files[0].filename'],
    [indexWith({ files: [file, { ...file, sha256: 'A'.repeat(64) }] }), 'updates[0].files[1].sha256'],
    [indexWith({ files: [{ ...file, size: -1 }] }), 'updates[0].files[0].size is not a number of bytes'],
    [indexWith({ files: [{ ...file, size: 1.5 }] }), 'updates[0].files[0].size'],
    [indexWith({ files: [{ ...file, component: 7 }] }), 'updates[0].files[0].component'],
  ])('refuses %.60s', (text, why) => {
    expect(() => parseIndex(text)).toThrow(FeedError);
    expect(() => parseIndex(text)).toThrow(why);
  });

  it('gives a release or a reason for any JSON', () => {
    fc.assert(
      fc.property(fc.json(), (text) => {
        try {
          parseIndex(text);
        } catch (error) {
          expect(error).toBeInstanceOf(FeedError);
        }
      }),
    );
  });
});

describe('the metadata of one release', () => {
  it('is read like an entry of the index', () => {
    const { version, files } = parseUpdate(JSON.stringify(sketchRelease({ version: '202511041601' })));
    expect(version).toBe('202511041601');
    expect(files.length).toBeGreaterThan(0);
  });

  it('is refused with the path of what is wrong', () => {
    expect(() => parseUpdate('{"format":"1.0"}')).toThrow('version is missing');
  });
});
