/**
 * The HTTP proxy that this machine's programs use. It takes CONNECT and requests in absolute form, keeps nothing, and
 * never lets a client's own credentials for a proxy through.
 */
import { randomBytes } from 'node:crypto';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Destination } from '@incusos/proxy-settings';
import { failureOf, ProxyFailure } from '../failure.ts';
import type { Log } from '../log.ts';
import type { FindRoute } from '../upstream/routes.ts';
import { refuseRequest, refuseTunnel } from './answer.ts';
import { forward } from './forward.ts';
import { valuesOf } from './headers.ts';
import { join, openTunnel } from './tunnel.ts';

/** Until a client has said what it wants. */
const headersMs = 60_000;

export function createProxy(findRoute: FindRoute, log: Log): Server {
  // By this it knows a request again that comes back to it.
  const via = `1.1 incus-os-${randomBytes(6).toString('hex')}`;
  // A body may take as long as it takes.
  const server = createServer({ requestTimeout: 0, headersTimeout: headersMs });
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    carryOut(request, response, gone.signal).catch((error: unknown) => {
      refuseRequest(response, report(error));
    });
  });
  server.on('connect', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const gone = new AbortController();
    const leave = (): void => gone.abort();
    socket.once('close', leave).on('error', leave);
    tunnel(request, socket, head, gone.signal).catch((error: unknown) => {
      refuseTunnel(socket, report(error));
    });
  });

  const carryOut = async (
    request: IncomingMessage,
    response: ServerResponse,
    signal: AbortSignal,
  ): Promise<void> => {
    refuseLoop(request, via);
    const url = absoluteUrl(request.url ?? '');
    const host = url.hostname.replace(/^\[(.*)\]$/u, '$1');
    const route = findRoute({ url: url.href, host, port: url.port === '' ? 80 : Number(url.port) });
    await forward(request, response, { route, url, via, signal });
  };
  const tunnel = async (
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    signal: AbortSignal,
  ): Promise<void> => {
    refuseLoop(request, via);
    const destination = tunnelDestination(request.url ?? '');
    const server = await openTunnel(findRoute(destination), destination, via, signal);
    socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
    join(socket, server, head);
  };
  const report = (error: unknown): ProxyFailure => {
    const failure = failureOf(error);
    // Nobody is there to be told, or the client knows best.
    const known = failure.status === 499 || failure.status === 400;
    if (!known) log(failure.status === 403 ? 'info' : 'warning', describe(failure));
    return failure;
  };
  return server;
}

/** A defect is told in full, for the log alone. */
function describe(failure: ProxyFailure): string {
  const { type, message, cause } = failure;
  return type === 'proxy_internal_error' && cause instanceof Error
    ? `${message}: ${cause.stack ?? cause.message}`
    : message;
}

function refuseLoop(request: IncomingMessage, via: string): void {
  const [, pseudonym = via] = via.split(' ');
  if (!valuesOf(request.rawHeaders, 'via').some((value) => value.includes(pseudonym))) return;
  throw new ProxyFailure(
    508,
    'proxy_loop_detected',
    'a proxy server of the proxy configuration leads back to this machine',
  );
}

function absoluteUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url?.protocol === 'http:' && url.hostname !== '') return url;
  const hint = url?.protocol === 'https:' ? '; CONNECT is the way to https' : '';
  throw new ProxyFailure(
    400,
    'http_request_error',
    `this is an HTTP proxy and no server, it needs an http:// URL${hint}`,
  );
}

/** The address of a CONNECT, which has a port always. */
function tunnelDestination(text: string): Destination {
  const { v6, name, port } =
    /^(?:\[(?<v6>[\da-f:.%]+)\]|(?<name>[^:/?#@[\]\s]+)):(?<port>\d{1,5})$/iu.exec(text)?.groups ?? {};
  const host = v6 ?? name;
  const number = Number(port);
  if (host === undefined || number < 1 || number > 65_535) {
    throw new ProxyFailure(400, 'http_request_error', 'CONNECT needs a host and a port');
  }
  const named = v6 === undefined ? host : `[${host}]`;
  return { url: `https://${named}${number === 443 ? '' : `:${number}`}`, host, port: number };
}
