/**
 * HTTPS for trusted clients. A client is known by the SHA-256 of its certificate; who signed it doesn't matter.
 *
 * Invariants: nothing is routed before the client is known to be trusted, and trust is looked up for each request, so
 * that a client that is no longer trusted is refused at once; what a client says of its own origin is overwritten.
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { failure } from '../http/envelope.ts';
import { proxyHeader, setRemoteOrigin } from '../http/request-origin.ts';
import { refusePlainHttp } from './first-byte.ts';
import { applyLimits, httpLimits } from './http-limits.ts';

/** Who is trusted, as the listener asks. */
export interface Trust {
  /** Whether the list is known at all. */
  readonly known: boolean;
  /** @param fingerprint SHA-256 of the DER, lower-case hex. */
  isTrusted(fingerprint: string): boolean;
}

export interface ServerIdentity {
  readonly certificate: string;
  readonly key: string;
}

/** The path under which the API is found beside that of Incus. */
const prefix = '/os';

/** For the first byte, and again for the handshake. */
const handshakeMs = 10_000;

export class HttpsListener {
  readonly server: Server;
  private readonly fingerprints = new WeakMap<TLSSocket, string>();

  constructor(
    private readonly handler: RequestListener,
    private readonly trust: Trust,
    identity: ServerIdentity,
  ) {
    this.server = createServer(
      {
        ...httpLimits,
        cert: identity.certificate,
        key: identity.key,
        minVersion: 'TLSv1.3',
        ALPNProtocols: ['http/1.1'],
        handshakeTimeout: handshakeMs,
        requestCert: true,
        // Nobody's signature counts, so that the store of public authorities isn't needed.
        ca: [],
        rejectUnauthorized: false,
      },
      (request, response) => this.admit(request, response),
    );
    applyLimits(this.server);
    refusePlainHttp(this.server, handshakeMs);
  }

  /**
   * Listens on a port; 0 = any free one.
   * @param address all addresses of both families unless given.
   * @returns the port.
   */
  async listen(port: number, address?: string): Promise<number> {
    try {
      await this.bind(port, address ?? '::');
    } catch (error) {
      const noIpv6 = error instanceof Error && 'code' in error && error.code === 'EAFNOSUPPORT';
      if (address !== undefined || !noIpv6) throw error;
      await this.bind(port, '0.0.0.0');
    }
    const bound = this.server.address();
    return bound !== null && typeof bound === 'object' ? bound.port : port;
  }

  private bind(port: number, host: string): Promise<void> {
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const taken = error.code === 'EADDRINUSE';
        reject(taken ? new Error(`port ${port} is in use by another program`, { cause: error }) : error);
      });
      this.server.listen({ port, host }, resolve);
    });
  }

  private admit(request: IncomingMessage, response: ServerResponse): void {
    const client = this.fingerprint(request.socket as TLSSocket);
    if (client === undefined || !this.trust.isTrusted(client)) {
      this.refuse(response, client);
      return;
    }
    const path = request.url ?? '/';
    const incusPath = isIncusPath(path);
    request.url = withoutPrefix(path);
    request.headers[proxyHeader] = prefix;
    setRemoteOrigin(request, { client, incusPath });
    this.handler(request, response);
  }

  /** Closes the connection: who isn't trusted holds none of those that there may be. */
  private refuse(response: ServerResponse, client: string | undefined): void {
    const headers = { 'X-Content-Type-Options': 'nosniff', Connection: 'close' };
    if (client !== undefined && !this.trust.known) {
      response.writeHead(503, { ...headers, 'Content-Type': 'application/json' });
      response.end(
        failure(503, 'the security service has not yet said which clients are trusted, try again'),
      );
      return;
    }
    response.writeHead(403, { ...headers, 'Content-Type': 'text/plain; charset=utf-8' });
    response.end('Forbidden\n');
  }

  private fingerprint(socket: TLSSocket): string | undefined {
    const known = this.fingerprints.get(socket);
    if (known !== undefined) return known;
    const fingerprint = socket.getPeerX509Certificate()?.fingerprint256.replaceAll(':', '').toLowerCase();
    if (fingerprint !== undefined) this.fingerprints.set(socket, fingerprint);
    return fingerprint;
  }
}

/** Incus has the root of its API where ours is too; everything else is told apart by the path. */
function isIncusPath(url: string): boolean {
  const path = url.split('?', 1)[0];
  return path === '/' || path === '/1.0';
}

function withoutPrefix(url: string): string {
  if (!url.startsWith(prefix)) return url;
  const rest = url.slice(prefix.length);
  if (rest.startsWith('/')) return rest;
  return rest === '' || rest.startsWith('?') ? `/${rest}` : url;
}
