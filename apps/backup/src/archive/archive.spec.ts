import { createHash } from 'node:crypto';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DomainError } from '@incusos/service';
import fc from 'fast-check';
import { type Header, pack } from 'tar-stream';
import { describe, expect, test } from 'vitest';
import type { Backup } from './backup.ts';
import { manifestOf } from './manifest.ts';
import { maxArchiveBytes, readArchive } from './read-archive.ts';
import { writeArchive } from './write-archive.ts';

const sample: Backup = {
  createdAt: '2026-10-01T12:00:00.000Z',
  osName: 'IncusOS',
  osRelease: '202610010000',
  services: [
    { service: 'network', schemaVersion: 1, files: new Map([['state.json', Buffer.from('{"a":1}\n')]]) },
    {
      service: 'storage',
      schemaVersion: 3,
      files: new Map([
        ['state.json', Buffer.from('{}')],
        ['zpool.local.key', Buffer.from([0, 255, 10, 13])],
        ['empty', Buffer.alloc(0)],
      ]),
    },
  ],
};

async function bytesOf(backup: Backup): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of writeArchive(backup)) parts.push(part);
  return Buffer.concat(parts);
}

async function* inChunks(bytes: Buffer, size = 1000): AsyncGenerator<Buffer> {
  for (let offset = 0; offset < bytes.length; offset += size) yield bytes.subarray(offset, offset + size);
}

async function failure(bytes: Buffer): Promise<DomainError> {
  const error: unknown = await readArchive(inChunks(bytes)).then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error;
  throw new Error(`expected a DomainError, got ${String(error)}`);
}

interface Member {
  readonly header: Partial<Header> & { name: string };
  readonly content?: string;
}

/** An archive with any members, as someone else's tar could make it. */
async function archiveOf(members: readonly Member[]): Promise<Buffer> {
  const tar = pack();
  for (const { header, content = '' } of members) tar.entry(header, content);
  tar.finalize();
  const parts: Buffer[] = [];
  for await (const part of tar) parts.push(part as Buffer);
  return gzipSync(Buffer.concat(parts));
}

function manifestText(change: (manifest: Record<string, unknown>) => void = () => undefined): string {
  const manifest = JSON.parse(JSON.stringify(manifestOf({ ...sample, services: [] }))) as Record<
    string,
    unknown
  >;
  change(manifest);
  return JSON.stringify(manifest);
}

describe('an archive', () => {
  test('gives back what went into it', async () => {
    const content = fc.uint8Array({ maxLength: 3000 }).map((bytes) => Buffer.from(bytes));
    const files = fc.dictionary(fc.stringMatching(/^[a-z][a-zA-Z0-9._-]{0,150}$/u), content, {
      noNullPrototype: true,
    });
    const services = fc.uniqueArray(
      fc.record({
        service: fc.stringMatching(/^[a-z]{1,12}$/u),
        schemaVersion: fc.integer({ min: 1, max: 99 }),
        files: files.map((found) => new Map(Object.entries(found))),
      }),
      { maxLength: 5, selector: ({ service }) => service },
    );
    await fc.assert(
      fc.asyncProperty(services, fc.integer({ min: 1, max: 5000 }), async (some, chunkSize) => {
        const backup = { ...sample, services: some };
        const read = await readArchive(inChunks(await bytesOf(backup), chunkSize));
        const byName = (one: Backup): unknown =>
          new Map(one.services.map((service) => [service.service, service]));
        expect({ ...read, services: byName(read) }).toEqual({ ...backup, services: byName(backup) });
      }),
      { numRuns: 50 },
    );
  });

  test('is one that tar can list, with the manifest first and no one else allowed to read it', async () => {
    const tar = gunzipSync(await bytesOf(sample));
    expect(tar.subarray(0, 100).toString().replace(/\0.*$/su, '')).toBe('manifest.json');
    expect(Number.parseInt(tar.subarray(100, 107).toString(), 8)).toBe(0o600);
    expect(tar.subarray(257, 262).toString()).toBe('ustar');
  });

  test('is refused wherever it is cut short', async () => {
    const whole = await bytesOf(sample);
    for (let length = 0; length < whole.length; length += 1) {
      const error = await failure(whole.subarray(0, length));
      expect([error.reason, error.message], `cut at ${length}`).toEqual([
        'INVALID_REQUEST',
        `the backup can't be used: it is ${length === 0 ? 'empty' : 'cut short'}`,
      ]);
    }
  });

  test('is refused whichever of its bytes is changed', async () => {
    const whole = await bytesOf(sample);
    // The ten bytes of the gzip header hold a time and flags that say nothing about the content.
    for (let index = 10; index < whole.length; index += 1) {
      const altered = Buffer.from(whole);
      altered[index] = (altered[index] ?? 0) ^ 0x55;
      expect((await failure(altered)).reason, `byte ${index}`).toBe('INVALID_REQUEST');
    }
  });

  test('is refused when something follows its end', async () => {
    const whole = await bytesOf(sample);
    for (const more of [Buffer.from('more'), Buffer.alloc(100), gzipSync('more')]) {
      expect((await failure(Buffer.concat([whole, more]))).reason).toBe('INVALID_REQUEST');
    }
  });

  test('is refused when it is no archive at all', async () => {
    for (const bytes of ['hello', 'x'.repeat(2000)]) {
      expect((await failure(Buffer.from(bytes))).message).toMatch(/damaged, or no gzip archive|cut short/u);
      expect((await failure(gzipSync(bytes))).reason).toBe('INVALID_REQUEST');
    }
  });

  test('is refused when it holds anything but regular files', async () => {
    for (const header of [
      { name: 'network/', type: 'directory' as const },
      { name: 'network/state.json', type: 'symlink' as const, linkname: '/etc/shadow' },
      { name: 'network/state.json', type: 'link' as const, linkname: 'manifest.json' },
      { name: 'network/state.json', type: 'fifo' as const },
      { name: 'network/state.json', type: 'block-device' as const },
    ]) {
      const bytes = await archiveOf([
        { header: { name: 'manifest.json' }, content: manifestText() },
        { header },
      ]);
      expect((await failure(bytes)).message).toBe('backup cannot contain anything other than regular files');
    }
  });

  test('is refused when it and its manifest disagree', async () => {
    const file = { size: 1, sha256: createHash('sha256').update('x').digest('hex') };
    const withFile = manifestText((manifest) => {
      manifest['services'] = { network: { schema_version: 1, files: { 'state.json': file } } };
    });
    const manifest = { header: { name: 'manifest.json' }, content: withFile };
    const member = (name: string, content: string): Member => ({ header: { name }, content });
    const cases: [Member[], RegExp][] = [
      [[manifest], /'network\/state.json' is missing/u],
      [[manifest, member('network/state.json', 'y')], /'network\/state.json' was altered/u],
      [
        [manifest, member('network/state.json', 'x'), member('../../etc/passwd', 'x')],
        /does not know '..\/..\/etc\/passwd'/u,
      ],
      [[manifest, member('network/state.json', 'x'), member('network/state.json', 'x')], /is in it twice/u],
      [[member('network/state.json', 'x')], /it has no manifest.json/u],
      [[member('state.txt', '#Version: 8\n')], /backups have another form/u],
    ];
    for (const [members, message] of cases)
      expect((await failure(await archiveOf(members))).message).toMatch(message);
    await readArchive(inChunks(await archiveOf([manifest, member('network/state.json', 'x')])));
  });

  test('is refused when its manifest is wrong', async () => {
    const cases: [string, RegExp][] = [
      ['{', /not one of IncusOS/u],
      ['[]', /not one of IncusOS/u],
      [manifestText((manifest) => (manifest['format'] = 'zip')), /not one of IncusOS/u],
      [
        manifestText((manifest) => (manifest['version'] = 2)),
        /format version 2, but this release knows version 1/u,
      ],
      [manifestText((manifest) => delete manifest['services']), /incomplete/u],
      [manifestText((manifest) => (manifest['os'] = {})), /does not name the release/u],
      [
        manifestText((manifest) => (manifest['services'] = { network: 1 })),
        /wrong about the network service/u,
      ],
      [
        manifestText(
          (manifest) => (manifest['services'] = { network: { schema_version: 1, files: { a: {} } } }),
        ),
        /wrong about network\/a/u,
      ],
    ];
    for (const [content, message] of cases) {
      const error = await failure(await archiveOf([{ header: { name: 'manifest.json' }, content }]));
      expect([error.reason, error.message]).toEqual(['INVALID_REQUEST', expect.stringMatching(message)]);
    }
  });

  test('that would fill the memory is refused, compressed or not', async () => {
    expect((await failure(gzipSync(Buffer.alloc(80 * 1024 * 1024)))).reason).toBe('TOO_LARGE');
    const noise = gzipSync(Buffer.alloc(maxArchiveBytes), { level: 0 });
    expect((await failure(noise)).reason).toBe('TOO_LARGE');
  });

  test('whose sender breaks off fails with the sender’s own error', async () => {
    const broken = async function* (): AsyncGenerator<Buffer> {
      yield (await bytesOf(sample)).subarray(0, 50);
      throw new DomainError('CANCELLED', 'the caller gave up');
    };
    await expect(readArchive(broken())).rejects.toMatchObject({ reason: 'CANCELLED' });
  });
});
