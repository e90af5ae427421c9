/** Which way a request takes: the first rule that matches its destination decides. */
import { type Destination, destinationMatcher, type ProxySettings } from '@incusos/proxy-settings';
import { ProxyFailure } from '../failure.ts';
import type { Hop } from './connect.ts';
import { type Credentials, credentialsFor, type Kerberos } from './credentials.ts';

/** A proxy server that requests are handed on to. */
export interface Upstream extends Hop {
  readonly credentials: Credentials;
}

/** `direct` or a proxy server. */
export type Route = 'direct' | Upstream;

export type FindRoute = (destination: Destination) => Route;

/**
 * @param negotiate makes the credentials for a server that wants Kerberos; called once for each such server.
 * @returns throws ProxyFailure with status 403 for what no rule lets through.
 */
export function routesOf(
  { servers, rules }: ProxySettings,
  negotiate: (server: Hop, kerberos: Kerberos) => Credentials,
): FindRoute {
  const routes = new Map<string, Route | 'none'>([
    ['direct', 'direct'],
    ['none', 'none'],
  ]);
  for (const [name, { host, port, tls, authentication }] of Object.entries(servers)) {
    const hop = { name: `the proxy server ${name} (${authority(host, port)})`, host, port, tls };
    routes.set(name, {
      ...hop,
      credentials: credentialsFor(authentication, (kerberos) => negotiate(hop, kerberos)),
    });
  }
  const decisions = rules.map(({ destination, target }) => ({
    matches: destinationMatcher(destination),
    route: routes.get(target) ?? 'none',
  }));
  return (destination) => {
    const { route } = decisions.find(({ matches }) => matches(destination)) ?? {};
    const where = authority(destination.host, destination.port);
    if (route === undefined) throw denied(`no rule of the proxy configuration is for ${where}`);
    if (route === 'none') throw denied(`the proxy configuration forbids ${where}`);
    return route;
  };
}

function denied(message: string): ProxyFailure {
  return new ProxyFailure(403, 'http_request_denied', message);
}

/** Host and port as HTTP writes them. */
export function authority(host: string, port: number): string {
  return `${host.includes(':') ? `[${host}]` : host}:${port}`;
}
