/**
 * What a client is told that can't have what it asked for. The sentence is the status line's reason too: of the answer to
 * a CONNECT many clients, those written in Go among them, show nothing else.
 */
import type { ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { ProxyFailure } from '../failure.ts';

export function refuseRequest(response: ServerResponse, failure: ProxyFailure): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  const text = `${failure.message}\n`;
  response.writeHead(failure.status, reasonPhrase(failure.message), fields(failure, text).flat());
  response.end(text);
}

export function refuseTunnel(socket: Duplex, failure: ProxyFailure): void {
  if (!socket.writable) return;
  const text = `${failure.message}\n`;
  const lines = fields(failure, text).map(([name, value]) => `${name}: ${value}`);
  socket.end(
    `HTTP/1.1 ${failure.status} ${reasonPhrase(failure.message)}\r\n${lines.join('\r\n')}\r\n\r\n${text}`,
  );
}

/** `Proxy-Status` is RFC 9209's. */
function fields({ type, message }: ProxyFailure, text: string): [name: string, value: string][] {
  return [
    [
      'Proxy-Status',
      `incus-os; error=${type}; details="${reasonPhrase(message).replaceAll(/["\\]/gu, '\\$&')}"`,
    ],
    ['Content-Type', 'text/plain; charset=utf-8'],
    ['Content-Length', String(Buffer.byteLength(text))],
    ['Connection', 'close'],
  ];
}

function reasonPhrase(message: string): string {
  return message.replaceAll(/[^\x20-\x7e]+/gu, '?').slice(0, 400);
}
