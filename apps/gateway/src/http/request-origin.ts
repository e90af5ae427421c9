/** Where a request came in and how its caller sees our paths. */
import type { IncomingMessage } from 'node:http';

/** Set by whoever forwards requests: the prefix under which the caller sees the API. */
export const proxyHeader = 'x-incusos-proxy';

/** What the HTTPS listener found out about a request. */
export interface RemoteOrigin {
  /** SHA-256 of the client's certificate, lower-case hex. */
  readonly client: string;
  /** Asked for `/` or `/1.0` without our prefix, which belong to Incus there. */
  readonly incusPath: boolean;
}

const remoteOrigins = new WeakMap<IncomingMessage, RemoteOrigin>();

export function setRemoteOrigin(request: IncomingMessage, origin: RemoteOrigin): void {
  remoteOrigins.set(request, origin);
}

/** What is known of a request that came over HTTPS; undefined on the local socket. */
export function remoteOrigin(request: IncomingMessage): RemoteOrigin | undefined {
  return remoteOrigins.get(request);
}

/** Whether someone forwarded the request, who therefore answers for its caller. */
export function isForwarded(request: IncomingMessage): boolean {
  return forwardedPrefix(request) !== '';
}

/** The prefix of the URLs in a reply: empty for a local caller, such as `/os` behind a proxy. */
export function urlPrefix(request: IncomingMessage): string {
  return forwardedPrefix(request).replace(/\/+$/u, '');
}

function forwardedPrefix(request: IncomingMessage): string {
  const value = request.headers[proxyHeader];
  return typeof value === 'string' ? value : '';
}

/** A list reply's metadata: the sorted URLs of `names` below `path`, as the caller sees them. */
export function urlList(request: IncomingMessage, path: string, names: readonly string[]): string {
  const prefix = urlPrefix(request) + path;
  return JSON.stringify(names.map((name) => `${prefix}/${name}`).toSorted());
}
