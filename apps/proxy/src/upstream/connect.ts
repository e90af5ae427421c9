/** Connections to the next hop, be it a proxy server or the destination itself. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { clientGone, ProxyFailure, type FailureType } from '../failure.ts';

export interface Hop {
  /** As sentences name it, such as `the proxy server corp (proxy.test:3128)`. */
  readonly name: string;
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
}

/** For all addresses of a name, and TLS. */
const patienceMs = 20_000;
/** Before the next address of a name is tried as well. */
const nextAddressMs = 2_000;
/** Between signs of life on a connection that is silent, so that a peer that vanished is noticed. */
const keepAliveMs = 60_000;

const reasons: Readonly<Record<string, readonly [FailureType, string]>> = {
  ECONNREFUSED: ['connection_refused', 'the connection was refused'],
  ECONNRESET: ['connection_terminated', 'the connection was closed'],
  EHOSTUNREACH: ['destination_ip_unroutable', 'there is no route to it'],
  ENETUNREACH: ['destination_ip_unroutable', 'there is no route to it'],
  ENOTFOUND: ['dns_error', 'its name is unknown'],
  EAI_AGAIN: ['dns_error', 'its name could not be looked up'],
  ETIMEDOUT: ['connection_timeout', 'it did not answer'],
};

/**
 * Connects to a hop.
 * @throws ProxyFailure with status 502 or 504.
 */
export async function connect(hop: Hop, signal: AbortSignal): Promise<Socket> {
  const { host, port } = hop;
  const tcp = connectTcp({
    host,
    port,
    allowHalfOpen: true,
    keepAlive: true,
    keepAliveInitialDelay: keepAliveMs,
    noDelay: true,
    autoSelectFamilyAttemptTimeout: nextAddressMs,
  });
  const socket = hop.tls
    ? connectTls({
        socket: tcp,
        host,
        ...(isIP(host) === 0 ? { servername: host } : {}),
        ALPNProtocols: ['http/1.1'],
      })
    : tcp;
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      stop = () => reject(clientGone());
      timer = setTimeout(() => {
        reject(
          new ProxyFailure(
            504,
            'connection_timeout',
            unreachable(hop, `it did not answer within ${patienceMs / 1_000} s`),
          ),
        );
      }, patienceMs);
      socket.once(hop.tls ? 'secureConnect' : 'connect', resolve);
      socket.once('error', reject);
      socket.once('close', () =>
        reject(new ProxyFailure(502, 'connection_terminated', unreachable(hop, 'the connection was closed'))),
      );
      tcp.once('error', reject);
      signal.addEventListener('abort', stop, { once: true });
      if (signal.aborted) stop();
    });
    return socket;
  } catch (error) {
    // What it still says has been told.
    for (const half of [socket, tcp]) half.on('error', () => undefined).destroy();
    throw connectFailure(hop, error);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', stop);
  }
}

function connectFailure(hop: Hop, error: unknown): ProxyFailure {
  if (error instanceof ProxyFailure) return error;
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const code = codeOf(first);
  const known = reasons[code];
  if (known !== undefined) {
    const [type, reason] = known;
    return new ProxyFailure(type === 'connection_timeout' ? 504 : 502, type, unreachable(hop, reason), {
      cause: error,
    });
  }
  const certificate = /CERT|ISSUER|SELF_SIGNED|ALTNAME|VERIFY/u.test(code);
  const tls = hop.tls && (certificate || code.startsWith('ERR_SSL'));
  const reason = first instanceof Error ? first.message : String(first);
  return new ProxyFailure(
    502,
    certificate ? 'tls_certificate_error' : tls ? 'tls_protocol_error' : 'connection_terminated',
    tls || certificate ? `no TLS connection to ${hop.name}: ${reason}` : unreachable(hop, reason),
    { cause: error },
  );
}

function unreachable(hop: Hop, reason: string): string {
  return `${hop.name} could not be reached: ${reason}`;
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
}
