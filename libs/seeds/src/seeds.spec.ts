import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { type ByteRange, type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findSeedFile } from './medium/find-seed-file.ts';
import { SeedError } from './seed-error.ts';
import { openSeeds } from './seeds.ts';

const MiB = 1024 * 1024;
const internal = '/dev/disk/by-partlabel/seed-data';

let directory: string;
let files: LocalFiles;
let host: Host;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'seeds-'));
  files = new LocalFiles(directory);
  host = { files, programs: new LocalPrograms() };
});

afterEach(() => rmSync(directory, { recursive: true }));

async function tarOf(members: Readonly<Record<string, string | Buffer>>): Promise<Buffer> {
  const tar = pack();
  const bytes = buffer(tar);
  for (const [name, content] of Object.entries(members)) tar.entry({ name }, content);
  tar.finalize();
  return bytes;
}

const update = (channel: string): Record<string, string> => ({ 'update.json': JSON.stringify({ channel }) });

describe('seeds on a machine', () => {
  it('are found on the partition of the system disk', async () => {
    const machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    const emulated = openEmulatedHost(machine);
    await emulated.files.writeAtomic(await emulated.files.realPath(internal), await tarOf(update('testing')));
    expect(await openSeeds(emulated).read('update')).toMatchObject({ channel: 'testing' });
    expect(await openSeeds(emulated).read('network')).toBeUndefined();
  });

  it('are missing without a partition, without data in it, and when another seed is there', async () => {
    const expectMissing = async (reason: string): Promise<void> => {
      await expect(findSeedFile(host, 'network')).rejects.toThrow(reason);
      await expect(openSeeds(host).read('network')).resolves.toBeUndefined();
    };
    await expectMissing('no seed partition could be found');
    await files.writeAtomic(internal, '');
    await expectMissing('no seed data present in the partition');
    await files.writeAtomic(internal, Buffer.alloc(MiB));
    await expectMissing('no seed data present in the partition');
    await files.writeAtomic(internal, await tarOf(update('testing')));
    await expectMissing("requested seed section couldn't be found");
  });

  it('on a separate medium hide those of the system disk as a whole', async () => {
    await files.writeAtomic(internal, await tarOf({ ...update('stable'), 'kernel.json': '{}' }));
    await files.writeAtomic('/dev/disk/by-label/SEED_DATA', await tarOf(update('file-system')));
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'file-system' });
    await files.writeAtomic('/dev/disk/by-partlabel/SEED_DATA', await tarOf(update('partition')));
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'partition' });
    expect(await openSeeds(host).read('kernel')).toBeUndefined();
  });

  it('may be named as from the current directory, and only at the top', async () => {
    await files.writeAtomic(
      internal,
      await tarOf({
        'old/update.yaml': 'channel: old',
        'update.yaml.bak': 'x',
        './update.yml': 'channel: new',
      }),
    );
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'new' });
  });

  it('that are no plain file are not there', async () => {
    const tar = pack();
    tar.entry({ name: 'update.json', type: 'symlink', linkname: '/etc/shadow' });
    tar.entry({ name: 'update.yaml', type: 'directory' });
    tar.finalize();
    await files.writeAtomic(internal, await buffer(tar));
    expect(await openSeeds(host).read('update')).toBeUndefined();
  });

  it.each(['gnu', 'pax', 'ustar'])('are read from what tar writes in the format %s', async (format) => {
    const { programs } = host;
    await files.writeAtomic('/seed/network.yaml', 'interfaces: []\n');
    await files.writeAtomic('/seed/update.json', '{"channel":"testing"}');
    const seed = files.resolve('/seed');
    await programs.run(['tar', `--format=${format}`, '-C', seed, '-cf', `${seed}.tar`, '.']);
    await files.writeAtomic(internal, await files.readBytes('/seed.tar'));
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'testing' });
    expect(await openSeeds(host).read('network')).toMatchObject({ interfaces: [] });
  });

  it('behind other members of any size are found', async () => {
    const large = Buffer.alloc(3 * MiB);
    await files.writeAtomic(internal, await tarOf({ 'zeros.bin': large, ...update('testing') }));
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'testing' });
  });

  it('are read no further than the archive goes', async () => {
    let bytes = 0;
    class MeteredFiles extends LocalFiles {
      override readStream(path: string, range?: ByteRange): ReturnType<LocalFiles['readStream']> {
        return super.readStream(path, range).on('data', (piece: Buffer) => (bytes += piece.length));
      }
    }
    const archive = await tarOf(update('testing'));
    await files.writeAtomic(internal, Buffer.concat([archive, Buffer.alloc(100 * MiB)]));
    const seeds = openSeeds({ ...host, files: new MeteredFiles(directory) });
    expect(await seeds.read('network')).toBeUndefined();
    expect(bytes).toBeLessThan(MiB);
    await files.writeAtomic(internal, Buffer.concat([archive, Buffer.alloc(MiB), Buffer.alloc(MiB, 'junk')]));
    expect(await seeds.read('network')).toBeUndefined();
  });

  it('beyond the size of any seed are refused', async () => {
    await files.writeAtomic(internal, await tarOf({ 'update.json': Buffer.alloc(MiB + 1, ' ') }));
    await expect(openSeeds(host).read('update')).rejects.toThrow('update.json: is larger than 1048576 bytes');
  });

  it('in an archive cut short anywhere are whole, refused or missing, never half', async () => {
    const archive = await tarOf({ 'kernel.json': '{}', 'update.json': `{"channel":"${'x'.repeat(2000)}"}` });
    for (let length = 0; length < archive.length; length += 97) {
      await files.writeAtomic(internal, archive.subarray(0, length));
      const read = await openSeeds(host)
        .read('update')
        .catch((error: unknown) => error);
      if (read instanceof SeedError) expect(read.message).toContain('ends in the middle of a member');
      else if (read !== undefined) expect(read).toMatchObject({ channel: 'x'.repeat(2000) });
      else expect(length).toBeLessThan(1024);
    }
  });

  it('in a damaged archive are refused', async () => {
    const archive = await tarOf({ 'kernel.json': '{}', ...update('testing') });
    archive.write('garbage', 1024);
    await files.writeAtomic(internal, archive);
    await expect(openSeeds(host).read('update')).rejects.toThrow(`${internal}: the seed archive is damaged`);
    expect(await openSeeds(host).read('kernel')).toMatchObject({ console: [] });
  });

  it('on a device that can not be read are refused', async () => {
    await files.makeDirectory(internal);
    await expect(openSeeds(host).read('update')).rejects.toThrow(`${internal}: can't be read: EISDIR`);
  });

  it('are found by JSON, YAML and the short ending, the first of the archive winning', async () => {
    await files.writeAtomic(internal, await tarOf({ 'update.yml': 'channel: first', ...update('second') }));
    expect(await openSeeds(host).read('update')).toMatchObject({ channel: 'first' });
  });
});
