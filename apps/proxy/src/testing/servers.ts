/** Destinations and proxy servers for tests, on free ports of this machine. */
import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
  type Socket,
} from 'node:net';
import type { Duplex } from 'node:stream';
import { text } from 'node:stream/consumers';

export interface Running {
  readonly port: number;
  close(): Promise<void>;
}

export interface Seen {
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingMessage['headers'];
}

async function listening(server: TcpServer): Promise<Running> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

/** Answers every HTTP request with what it got, as JSON. */
export async function startOrigin(): Promise<Running> {
  return listening(
    createServer((incoming, response) => {
      text(incoming).then(
        (body) => {
          response.setHeader('X-Origin', 'yes');
          response.end(
            JSON.stringify({ method: incoming.method, url: incoming.url, headers: incoming.headers, body }),
          );
        },
        () => response.destroy(),
      );
    }),
  );
}

/** Sends back what it gets, once the other side is done, after a greeting. */
export async function startEcho(): Promise<Running> {
  return listening(
    createTcpServer({ allowHalfOpen: true }, (socket) => {
      socket.write('hello ');
      socket.on('error', () => socket.destroy());
      socket.pipe(socket);
    }),
  );
}

export interface UpstreamOptions {
  /** The certificate and key of a proxy server that is reached by TLS. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Decides by the header `Proxy-Authorization`; lets everyone in unless given. */
  readonly admits?: (authorization: string | undefined) => boolean;
  /** Answers every CONNECT with this status. */
  readonly connectStatus?: number;
}

export interface UpstreamProxy extends Running {
  /** What it was asked for. */
  readonly seen: Seen[];
}

/** A proxy server that records what it is asked. */
export async function startUpstream({
  tls,
  admits = () => true,
  connectStatus,
}: UpstreamOptions = {}): Promise<UpstreamProxy> {
  const seen: Seen[] = [];
  const note = ({ method = '', url = '', headers }: IncomingMessage): boolean => {
    seen.push({ method, target: url, headers });
    return admits(headers['proxy-authorization']);
  };
  const onRequest = (incoming: IncomingMessage, response: ServerResponse): void => {
    if (!note(incoming)) {
      response.writeHead(407, { 'Proxy-Authenticate': 'Basic realm="x"' }).end('who are you?');
      return;
    }
    const url = new URL(incoming.url ?? '');
    const onward = request(
      {
        host: url.hostname,
        port: url.port,
        path: url.pathname,
        method: incoming.method,
        headers: { ...incoming.headers, connection: 'close' },
      },
      (answer) => {
        response.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(response);
      },
    );
    onward.on('error', () => response.destroy());
    incoming.pipe(onward);
  };
  const onConnect = (incoming: IncomingMessage, socket: Duplex, head: Buffer): void => {
    socket.on('error', () => socket.destroy());
    const status = note(incoming) ? connectStatus : 407;
    if (status !== undefined) {
      socket.end(`HTTP/1.1 ${status} No\r\nContent-Length: 4\r\n\r\nnope`);
      return;
    }
    const [host = '', port = ''] = (incoming.url ?? '').split(':');
    const onward = connect({ host, port: Number(port), allowHalfOpen: true }, () => {
      // The first bytes of the tunnel come in one piece with the answer.
      onward.once('data', (chunk: Buffer) => {
        socket.write(Buffer.concat([Buffer.from('HTTP/1.1 200 OK\r\n\r\n'), chunk]));
        onward.pipe(socket);
      });
      onward.write(head);
      socket.pipe(onward);
    });
    onward.on('error', () => socket.destroy());
  };
  const server = (tls === undefined ? createServer() : createSecureServer({ ...tls, allowHalfOpen: true }))
    .on('request', onRequest)
    .on('connect', onConnect);
  return { ...(await listening(server)), seen };
}
