import { connect as connectPlain, type AddressInfo, type Socket } from 'node:net';
import { connect as connectTls, createServer, type Server } from 'node:tls';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { selfSigned } from '../room/self-signed.ts';
import { refusePlainHttp } from './first-byte.ts';

const silenceMs = 200;

describe('the first byte of a connection', () => {
  let server: Server;
  let port: number;

  beforeEach(async () => {
    const { certificate, key } = await selfSigned();
    server = createServer({ cert: certificate, key }, (socket) => socket.end('hello'));
    refusePlainHttp(server, silenceMs);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    port = (server.address() as AddressInfo).port;
  });

  afterEach(() => {
    server.close();
  });

  const plain = (): Socket => connectPlain({ host: '127.0.0.1', port });
  const received = (socket: Socket): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => (text += chunk));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });

  it('leaves a TLS handshake whole', async () => {
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false });
    expect(await received(socket)).toBe('hello');
  });

  it('leaves a TLS handshake whole whose first byte comes alone', async () => {
    // What a TLS client sends, handed on byte by byte at the start.
    const { Duplex } = await import('node:stream');
    const wire = plain();
    let first = true;
    const slow = new Duplex({
      read: () => undefined,
      write(chunk: Buffer, _encoding, next) {
        if (!first) {
          wire.write(chunk, next);
          return;
        }
        first = false;
        wire.setNoDelay(true);
        wire.write(chunk.subarray(0, 1));
        setTimeout(() => wire.write(chunk.subarray(1), next), silenceMs / 4);
      },
    });
    wire.on('data', (chunk) => slow.push(chunk));
    wire.on('end', () => slow.push(null));
    const socket = connectTls({ socket: slow, rejectUnauthorized: false });
    const text = await new Promise<string>((resolve, reject) => {
      socket.on('data', (chunk: Buffer) => resolve(chunk.toString()));
      socket.on('error', reject);
    });
    expect(text).toBe('hello');
    wire.destroy();
  });

  it('that is none of TLS gets an answer that says so', async () => {
    const socket = plain();
    socket.write('G');
    socket.on('data', () => socket.end());
    expect(await received(socket)).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
  });

  it('that never comes ends the connection', async () => {
    expect(await received(plain())).toBe('');
  });
});
