import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'vm-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

function vm(...words: readonly string[]): { readonly code: number | null; readonly text: string } {
  const { status, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'main.ts'), ...words], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  return { code: status, text: stderr };
}

describe('a command line that can not be understood', () => {
  it.each([
    [['--bogus'], "error: unknown option '--bogus'"],
    [['--port'], "error: option '--port <port>' argument missing"],
    [['--port', 'http'], 'the port is from 1 to 65535, and not http.'],
    [['--drive', 'disk1'], 'the drive disk1 is not of the form [BUS:]ID:SIZE'],
    [['--nic', 'a', '--nic', 'a'], 'the NIC a is there twice.'],
    [['surplus'], 'error: '],
    [['ctl', 'explode'], "error: unknown command 'explode'"],
    [['ctl', 'drive', 'add'], "error: missing required argument 'id'"],
    [['ctl', 'drive', 'add', 'a', '--colour', 'red'], "error: unknown option '--colour'"],
  ])('%j ends with exit code 2 and says why', (words, sentence) => {
    const { code, text } = vm(...words);
    expect(text).toContain(sentence);
    expect(text).not.toContain('    at ');
    expect(code).toBe(2);
  });
});

// Others are told that root is needed, before anything else.
describe.runIf(process.getuid?.() === 0)('what can not be done', () => {
  it('is to use a port that is in use', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const { code, text } = vm('--dir', directory, '--port', port);
    server.close();
    expect(text).toBe(`port ${port} is in use by another program; choose another with --port.\n`);
    expect(code).toBe(1);
  });

  it('is to keep a machine where nothing can be kept', () => {
    const { code, text } = vm('--dir', '/proc/vm', '--port', '59443');
    expect(text).toMatch(
      /^\/proc\/vm can't be used for a machine \(No such file or directory\); choose another --dir\.\n$/u,
    );
    expect(code).toBe(1);
  });

  it('is to put sockets into a directory whose name is too long for them', () => {
    const long = join(directory, 'x'.repeat(100));
    mkdirSync(long);
    const { code, text } = vm('--dir', long);
    expect(text).toBe(`${long} is too long for the sockets in it; choose a shorter --dir.\n`);
    expect(code).toBe(1);
  });

  it('is to seed a machine, or give it an image, that was started before', () => {
    writeFileSync(join(directory, 'disk.raw'), '');
    writeFileSync(join(directory, 'seed.tar'), '');
    const seed = vm('--dir', directory, '--seed', join(directory, 'seed.tar'));
    expect(seed.text).toBe(`${directory} was started before; --seed is for a first start.\n`);
    const image = vm('--dir', directory, '--image', join(directory, 'disk.raw'));
    expect(image.text).toBe(`${directory} holds a machine already; --image is for a new one.\n`);
    expect([seed.code, image.code]).toEqual([1, 1]);
  });

  it('is to take a credential from a file that is not there', () => {
    const { code, text } = vm('--dir', directory, '--port', '59443', '--credential', 'name=file');
    expect(text).toBe(`there is no file in ${directory}, which is to be a credential.\n`);
    expect(code).toBe(1);
  });

  it('is to use a bridge that is not there', () => {
    const { code, text } = vm('--dir', directory, '--nic', 'lan=bridge:br404');
    expect(text).toBe('this computer has no bridge br404\n');
    expect(code).toBe(1);
  });

  it('is to control a machine that is not there', () => {
    const { code, text } = vm('ctl', '--dir', directory, 'show');
    expect(text).toBe(`there is no machine in ${directory}; npm run vm makes one.\n`);
    expect(code).toBe(1);
  });
});
