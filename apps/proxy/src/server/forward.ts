/** Requests in absolute form: handed on to a proxy server as they are, or sent to the destination itself. */
import {
  type ClientRequest,
  type IncomingMessage,
  request as startRequest,
  type ServerResponse,
} from 'node:http';
import type { Socket } from 'node:net';
import { pipeline } from 'node:stream';
import { clientGone } from '../failure.ts';
import { connect } from '../upstream/connect.ts';
import { authority, type Route } from '../upstream/routes.ts';
import { forwarded, valuesOf } from './headers.ts';
import { broken, refusal } from './tunnel.ts';

/** @throws ProxyFailure before anything was answered. */
export async function forward(
  request: IncomingMessage,
  response: ServerResponse,
  {
    route,
    url,
    via,
    signal,
  }: { readonly route: Route; readonly url: URL; readonly via: string; readonly signal: AbortSignal },
): Promise<void> {
  const { hostname, port } = url;
  const address = { host: hostname.replace(/^\[(.*)\]$/u, '$1'), port: port === '' ? 80 : Number(port) };
  const target = authority(address.host, address.port);
  const hop = route === 'direct' ? { name: target, ...address, tls: false } : route;
  const authorization = route === 'direct' ? undefined : await route.credentials.header();
  const headers = [
    ...forwarded(request.rawHeaders).filter((_, index, all) => !isField(all, index, ['host', 'expect'])),
    ...['Host', url.host, 'Via', via, 'Connection', 'close'],
    ...(authorization === undefined ? [] : ['Proxy-Authorization', authorization]),
    // A body of unknown length goes on as one.
    ...(valuesOf(request.rawHeaders, 'transfer-encoding').length > 0 ? ['Transfer-Encoding', 'chunked'] : []),
  ];
  const socket = await connect(hop, signal);
  const answer = await exchange(request, socket, {
    name: hop.name,
    path: route === 'direct' ? `${url.pathname}${url.search}` : url.href,
    headers,
    signal,
  });
  if (route !== 'direct' && answer.statusCode === 407) {
    socket.destroy();
    throw refusal(route, 407, target);
  }
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, [
    ...forwarded(answer.rawHeaders),
    'Via',
    via,
  ]);
  pipeline(answer, response, () => socket.destroy());
}

interface Outgoing {
  readonly name: string;
  readonly path: string;
  readonly headers: string[];
  /** A client that goes away in the middle leaves nothing behind. */
  readonly signal: AbortSignal;
}

function exchange(
  request: IncomingMessage,
  socket: Socket,
  { name, path, headers, signal }: Outgoing,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const onward: ClientRequest = startRequest({
      createConnection: () => socket,
      method: request.method ?? 'GET',
      path,
      headers,
      signal,
    });
    onward.once('response', resolve);
    onward.on('error', (error) => {
      socket.destroy();
      reject(signal.aborted ? clientGone() : broken({ name }, error));
    });
    request.pipe(onward);
  });
}

/** Whether the name or value at this place belongs to one of these fields. */
function isField(raw: readonly string[], index: number, names: readonly string[]): boolean {
  return names.includes((raw[index - (index % 2)] ?? '').toLowerCase());
}
