/** What both listeners allow a client at the level of HTTP. */
import type { Server, ServerOptions } from 'node:http';
import type { Socket } from 'node:net';
import { failure } from '../http/envelope.ts';

/** Connections at a time on one listener. */
const maxConnections = 1024;

export const httpLimits = {
  maxHeaderSize: 16 * 1024,
  /** From the first byte of a request to the end of its headers. */
  headersTimeout: 10_000,
  /** Bodies have limits of their own, since an upload may take long. */
  requestTimeout: 0,
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 60_000,
} as const satisfies ServerOptions;

/** Answers what isn't HTTP, or too much of it, with an envelope, and limits the connections. */
export function applyLimits(server: Server): void {
  server.maxConnections = maxConnections;
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Socket) => {
    if (error.code === 'ECONNRESET' || !socket.writable) {
      socket.destroy();
      return;
    }
    const [status, message] = explain(error.code);
    const text = failure(status, message);
    socket.end(
      `HTTP/1.1 ${status} ${statusText[status] ?? ''}\r\nContent-Type: application/json\r\nX-Content-Type-Options: nosniff\r\n` +
        `Connection: close\r\nContent-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
    );
  });
}

const statusText: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

function explain(code: string | undefined): [status: number, message: string] {
  if (code === 'HPE_HEADER_OVERFLOW')
    return [431, `the request headers are larger than ${httpLimits.maxHeaderSize} bytes`];
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return [408, 'the request headers did not arrive in time'];
  return [400, 'the request is not valid HTTP'];
}
