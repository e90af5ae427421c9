/**
 * Tells TLS from plain HTTP by a connection's first byte, so that a client that forgot the `s` of `https` gets an
 * answer that says so.
 *
 * Invariants: a TLS connection reaches the TLS server with nothing taken from it; one that says nothing is closed.
 */
import type { Server, Socket } from 'node:net';

/** RFC 8446, section 5.1: the content type of a record that carries a handshake message. */
const tlsHandshake = 0x16;

const body = 'Upgrade Required\n';
const upgradeRequired = [
  'HTTP/1.1 426 Upgrade Required',
  'Upgrade: TLS/1.3, HTTP/1.1',
  'Connection: Upgrade, close',
  'Content-Type: text/plain; charset=utf-8',
  'X-Content-Type-Options: nosniff',
  `Content-Length: ${body.length}`,
  '',
  body,
].join('\r\n');

/**
 * Lets a TLS server have only connections that begin with a handshake; all others are answered with 426.
 * @param silenceMs how long a connection may take to say its first byte.
 */
export function refusePlainHttp(server: Server, silenceMs: number): void {
  const accept = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    const close = (): void => {
      socket.destroy();
    };
    const look = (): void => {
      const first: unknown = socket.read(1);
      if (!Buffer.isBuffer(first)) return;
      socket.removeListener('readable', look);
      socket.setTimeout(0);
      socket.removeListener('timeout', close);
      if (first[0] !== tlsHandshake) {
        refuse(socket, silenceMs);
        return;
      }
      socket.removeListener('error', close);
      socket.unshift(first);
      for (const listener of accept) listener.call(server, socket);
    };
    socket.setTimeout(silenceMs, close);
    socket.on('error', close);
    socket.on('readable', look);
  });
}

/** Reads on until the client closes, since a reset could overtake the answer. */
function refuse(socket: Socket, lingerMs: number): void {
  socket.setTimeout(lingerMs, () => socket.destroy());
  socket.resume();
  socket.end(upgradeRequired);
}
