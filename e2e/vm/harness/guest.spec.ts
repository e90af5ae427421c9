import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { guestArgv, parseAnswer, runInGuest, succeedInGuest } from './guest.ts';

describe('an answer of the guest', () => {
  const answer = (text: string): unknown => parseAnswer(Buffer.from(text), 'a1');

  it('is the code and as many bytes as it says', () => {
    expect(answer('a1 3 5\nh\u00e9llo')).toEqual({ code: 3, output: 'h\u00e9ll' });
    expect(answer('a1 0 0\n')).toEqual({ code: 0, output: '' });
  });

  it('is awaited until all of it is there', () => {
    for (const part of ['', 'a', 'a1 ', 'a1 0 2', 'a1 0 2\n', 'a1 0 2\nx'])
      expect(answer(part)).toBeUndefined();
  });

  it('comes after what somebody else did not wait for', () => {
    expect(answer('b7 0 4\nlosta1 0 2\nok')).toEqual({ code: 0, output: 'ok' });
  });
});

describe('the shell in the guest', () => {
  let directory: string;
  let server: Server;
  let heard: string;
  let guest: (connection: Socket, id: string) => void;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'guest-'));
    heard = '';
    server = createServer((connection) => {
      connection.write('garbage of the firmware, e2e-guest listens\n');
      connection.on('data', (bytes) => {
        heard += bytes.toString();
        const id = /^(?<id>\w+) 4 60\ntrue$/u.exec(heard)?.groups?.['id'];
        if (id !== undefined) guest(connection, id);
      });
    });
    await new Promise<void>((resolve) => server.listen(join(directory, 'guest.sock'), resolve));
  });
  afterEach(() => {
    server.close();
    rmSync(directory, { recursive: true });
  });

  const run = (): ReturnType<typeof runInGuest> => runInGuest(join(directory, 'guest.sock'), 'true', 60_000);

  it('gets the script with its length and limit, and gives code and output', async () => {
    guest = (connection, id) => connection.write(`${id} 0 3\nyes`);
    expect(await run()).toEqual({ code: 0, output: 'yes' });
  });

  it('has a script that has to succeed fail with what it wrote', async () => {
    guest = (connection, id) => connection.write(`${id} 1 2\nno`);
    await expect(succeedInGuest(join(directory, 'guest.sock'), 'true', 60_000)).rejects.toThrow(
      "the guest's script ended with 1:\ntrue\nno",
    );
  });

  it('says when the machine goes away', async () => {
    guest = (connection) => connection.destroy();
    await expect(run()).rejects.toThrow('the machine went away');
  });

  it('sends nothing before the guest says that it listens', async () => {
    const silent = createServer((connection) =>
      connection.on('data', (bytes) => (heard += bytes.toString())),
    );
    const path = join(directory, 'silent.sock');
    await new Promise<void>((resolve) => silent.listen(path, resolve));
    await expect(runInGuest(path, 'true', 50)).rejects.toThrow('the guest did not answer in time');
    silent.close();
    expect(heard).toBe('');
  });

  it('is behind a port with a name and a socket in the directory of the machine', () => {
    expect(guestArgv).toContain('socket,id=guest,path=/vm/guest.sock,server=on,wait=off');
  });
});
