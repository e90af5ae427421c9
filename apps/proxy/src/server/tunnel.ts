/** CONNECT: a tunnel to the destination, straight or through a proxy server. */
import { type ClientRequest, type IncomingMessage, request, STATUS_CODES } from 'node:http';
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { clientGone, ProxyFailure } from '../failure.ts';
import { connect } from '../upstream/connect.ts';
import { authority, type Route, type Upstream } from '../upstream/routes.ts';

/** Until a proxy server has answered; it may have to reach the destination first. */
const answerMs = 60_000;

/** @returns a connection whose other end is the destination. @throws ProxyFailure. */
export async function openTunnel(
  route: Route,
  destination: { readonly host: string; readonly port: number },
  via: string,
  signal: AbortSignal,
): Promise<Socket> {
  const target = authority(destination.host, destination.port);
  if (route === 'direct') return connect({ name: target, ...destination, tls: false }, signal);
  const header = await route.credentials.header();
  const socket = await connect(route, signal);
  try {
    return await askForTunnel(route, socket, target, { header, via }, signal);
  } catch (error) {
    socket.on('error', () => undefined).destroy();
    throw error;
  }
}

function askForTunnel(
  upstream: Upstream,
  socket: Socket,
  target: string,
  { header, via }: { readonly header: string | undefined; readonly via: string },
  signal: AbortSignal,
): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const asked: ClientRequest = request({
      createConnection: () => socket,
      method: 'CONNECT',
      path: target,
      headers: { Host: target, Via: via, ...(header === undefined ? {} : { 'Proxy-Authorization': header }) },
      signal,
    });
    asked.setTimeout(answerMs, () => asked.destroy(silent(upstream)));
    asked.once('error', (error) => {
      if (signal.aborted) reject(clientGone());
      else reject(error instanceof ProxyFailure ? error : broken(upstream, error));
    });
    // Node reports every answer to a CONNECT this way, whatever its status.
    asked.once('connect', (response: IncomingMessage, _socket: Duplex, head: Buffer) => {
      const { statusCode: status = 0 } = response;
      if (status >= 200 && status < 300) {
        socket.setTimeout(0);
        if (head.length > 0) socket.unshift(head);
        resolve(socket);
      } else reject(refusal(upstream, status, target));
    });
    asked.end();
  });
}

/** What a proxy server's refusal means to the client, to whom its own demand for credentials says nothing. */
export function refusal(upstream: Upstream, status: number, target: string): ProxyFailure {
  const reason = STATUS_CODES[status];
  const answer = reason === undefined ? String(status) : `${status} ${reason}`;
  // Some say 401 where there was something to refuse; no one but the proxy server answers a CONNECT.
  if (status === 407 || status === 401) {
    upstream.credentials.refused();
    return new ProxyFailure(
      502,
      'http_request_denied',
      `${upstream.name} refused the credentials that are configured for it (${answer})`,
    );
  }
  const relayed = status >= 400 && status < 600 ? status : 502;
  return new ProxyFailure(
    relayed,
    'http_request_denied',
    `${upstream.name} gave no tunnel to ${target}: ${answer}`,
  );
}

export function silent({ name }: Upstream): ProxyFailure {
  return new ProxyFailure(
    504,
    'http_response_timeout',
    `${name} gave no answer within ${answerMs / 1_000} s`,
  );
}

export function broken(hop: { readonly name: string }, error: Error): ProxyFailure {
  const message = `${hop.name} closed the connection without an answer: ${error.message}`;
  return new ProxyFailure(502, 'http_response_incomplete', message, { cause: error });
}

/** Passes bytes both ways until both ends are done; what ends one way leaves the other open. */
export function join(client: Duplex, server: Socket, head: Buffer): void {
  if (head.length > 0) server.write(head);
  for (const [from, to] of [
    [client, server],
    [server, client],
  ] as const) {
    from.pipe(to);
    from.once('error', () => to.destroy());
    from.once('close', () => {
      if (!from.readableEnded) to.destroy();
    });
  }
  if (client instanceof Socket) client.setTimeout(0).setKeepAlive(true, 60_000).setNoDelay(true);
}
