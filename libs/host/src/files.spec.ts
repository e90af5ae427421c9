import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer, text } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ByteRange, LocalFiles } from './files.ts';

let root: string;
let files: LocalFiles;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'files-'));
  files = new LocalFiles(root);
});

afterEach(() => rmSync(root, { recursive: true }));

describe('files below a root', () => {
  it('can not be left by climbing', async () => {
    writeFileSync(join(root, 'inside'), 'in');
    await expect(files.readText('/../../../../inside')).resolves.toBe('in');
    expect(() => files.resolve('relative')).toThrow('not absolute');
  });

  it('are replaced as a whole, with the mode asked for, and the previous one kept', async () => {
    await files.writeAtomic('/etc/x', 'old');
    await files.writeAtomic('/etc/x', 'new', { mode: 0o600, keepPreviousAs: '/etc/history/x.1' });
    expect(readFileSync(join(root, 'etc/x'), 'utf8')).toBe('new');
    expect(readFileSync(join(root, 'etc/history/x.1'), 'utf8')).toBe('old');
    expect(await files.stat('/etc/x')).toMatchObject({ kind: 'file', mode: 0o600, size: 3 });
    expect(await files.list('/etc')).toEqual(['history', 'x']);
  });

  it('are given to a group that the machine has', async () => {
    writeFileSync(join(root, 'group'), '');
    await files.writeAtomic('/etc/group', `root:x:0:\nmine:x:${statSync(join(root, 'group')).gid}:\n`);
    await files.writeAtomic('/run/x', 'secret', { mode: 0o640, group: 'mine' });
    expect(await files.stat('/run/x')).toMatchObject({ mode: 0o640 });
    await expect(files.writeAtomic('/run/y', 'secret', { group: 'theirs' })).rejects.toThrow(
      'no group theirs',
    );
    expect(await files.list('/run')).toEqual(['x']);
  });

  it('leave nothing behind when a write fails', async () => {
    await files.makeDirectory('/etc/taken');
    await expect(files.writeAtomic('/etc/taken', 'x')).rejects.toMatchObject({ code: 'EISDIR' });
    expect(await files.list('/etc')).toEqual(['taken']);
  });

  it('follow links by the names of the machine and not of the one around it', async () => {
    await files.writeAtomic('/dev/sda', '');
    await files.makeSymlink('../../sda', '/dev/disk/by-id/scsi-x');
    await files.makeSymlink('/dev/disk/by-id/scsi-x', '/run/link');
    expect(await files.realPath('/run/link')).toBe('/dev/sda');
    expect(await files.readLink('/dev/disk/by-id/scsi-x')).toBe('../../sda');
  });

  it('that are missing are undefined, empty or gone already', async () => {
    expect(await files.stat('/none')).toBeUndefined();
    expect(await files.list('/none')).toEqual([]);
    expect(await files.exists('/none')).toBe(false);
    await expect(files.remove('/none')).resolves.toBeUndefined();
    await expect(files.readText('/none')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('are read as far as wanted', async () => {
    await files.writeAtomic('/dev/sda2', '0123456789');
    const read = async (path: string, range?: ByteRange): Promise<string> =>
      (await buffer(files.readStream(path, range))).toString();
    expect(await read('/dev/sda2')).toBe('0123456789');
    expect(await read('/dev/sda2', { start: 2, end: 4 })).toBe('234');
    await expect(read('/dev/none')).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('are watched', async () => {
    await files.makeDirectory('/watched');
    let changes = 0;
    const watcher = files.watch('/watched', () => {
      changes += 1;
    });
    await files.writeAtomic('/watched/x', '1');
    await expect.poll(() => changes, { timeout: 10_000 }).toBeGreaterThan(0);
    watcher.close();
  });

  it('have a size and free space', async () => {
    const { total, available } = await files.space('/');
    expect(total).toBeGreaterThan(available - 1n);
  });

  it('connect to a socket, and say why when nobody listens', async () => {
    const server = createServer((connection) => connection.end('hello')).listen(join(root, 'daemon'));
    await once(server, 'listening');
    expect(await text(await files.connect('/daemon'))).toBe('hello');
    server.close();
    await expect(files.connect('/nobody')).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
