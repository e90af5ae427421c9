/** The rules for the proxy servers and for which destinations they are. */
import type {
  SystemNetworkConfig,
  SystemNetworkProxy,
  SystemNetworkProxyRule,
  SystemNetworkProxyServer,
} from '@incusos/contracts/network';
import { destinationMatcher, localProxy, parseEndpoint, PatternError } from '@incusos/proxy-settings';
import type { Violation } from './violation.ts';

/** Targets of rules that are no server. */
const reserved = ['direct', 'none'];

/** As a KDC and its library take it. */
const realmForm = /^[A-Za-z0-9][A-Za-z0-9._-]*$/u;

/** Without rules everything goes to the first server by name; without servers, straight to its destination. */
export function withProxyRules(config: SystemNetworkConfig): SystemNetworkConfig {
  const { proxy } = config;
  if (proxy === undefined || proxy.rules.length > 0) return config;
  const [target = 'direct'] = Object.keys(proxy.servers).toSorted();
  return { ...config, proxy: { ...proxy, rules: [{ destination: '*', target }] } };
}

export function* checkProxy(proxy: SystemNetworkProxy | undefined): Generator<Violation> {
  if (proxy === undefined) return;
  for (const name of Object.keys(proxy.servers).toSorted()) {
    const server = proxy.servers[name];
    if (server !== undefined) yield* checkServer(name, server, `config.proxy.servers.${name}`);
  }
  for (const [index, rule] of proxy.rules.entries())
    yield* checkRule(rule, index, proxy, `config.proxy.rules[${index}]`);
}

function* checkServer(name: string, server: SystemNetworkProxyServer, field: string): Generator<Violation> {
  if (reserved.includes(name)) {
    yield { field, message: `cannot use reserved keyword '${name}' for proxy definition` };
    return;
  }
  yield* checkPlace(name, server, `${field}.host`);
  yield* checkAuthentication(name, server, field);
}

function* checkPlace(name: string, server: SystemNetworkProxyServer, field: string): Generator<Violation> {
  // The text itself is not repeated: someone may have put a password into it.
  const endpoint = parseEndpoint(server.host, server.use_tls);
  if (endpoint === undefined) {
    const message = `host of proxy server ${name} is neither a host with a port nor the http or https URL of one`;
    yield { field, message };
  } else if (endpoint.port === 0) yield { field, message: `host of proxy server ${name} has no port` };
  else if (endpoint.port === localProxy.port && isThisMachine(endpoint.host))
    yield { field, message: `proxy server ${name} would be this machine's own proxy` };
}

function* checkAuthentication(
  name: string,
  { auth, username = '', password = '', realm = '' }: SystemNetworkProxyServer,
  field: string,
): Generator<Violation> {
  if (!['anonymous', 'basic', 'kerberos'].includes(auth)) {
    yield { field: `${field}.auth`, message: `unsupported proxy authentication type ${auth}` };
    return;
  }
  if (auth === 'anonymous') return;
  if (username === '') {
    yield {
      field: `${field}.username`,
      message: `proxy server ${name} has no username for ${auth} authentication`,
    };
  } else if (auth === 'basic' && username.includes(':')) {
    yield { field: `${field}.username`, message: `username of proxy server ${name} may not contain a colon` };
  }
  // Passwords are text; what ends a line or a string never was typed.
  for (const [key, text] of Object.entries({ username, password })) {
    if (/\p{Cc}/u.test(text))
      yield {
        field: `${field}.${key}`,
        message: `${key} of proxy server ${name} may not contain control characters`,
      };
  }
  if (auth === 'kerberos') yield* checkRealms(name, username, realm, field);
}

function* checkRealms(name: string, username: string, realm: string, field: string): Generator<Violation> {
  if (realm === '')
    yield {
      field: `${field}.realm`,
      message: `proxy server ${name} has no realm for kerberos authentication`,
    };
  else if (!realmForm.test(realm))
    yield { field: `${field}.realm`, message: `realm of proxy server ${name} is not a Kerberos realm` };
  const at = username.lastIndexOf('@');
  if (at >= 0 && (at === 0 || !realmForm.test(username.slice(at + 1))))
    yield {
      field: `${field}.username`,
      message: `username of proxy server ${name} is not a Kerberos principal`,
    };
}

function* checkRule(
  { destination, target }: SystemNetworkProxyRule,
  index: number,
  { servers }: SystemNetworkProxy,
  field: string,
): Generator<Violation> {
  try {
    destinationMatcher(destination);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    yield {
      field: `${field}.destination`,
      message: `destination of proxy rule ${index} can't be used: ${error.message}`,
    };
  }
  if (!reserved.includes(target) && !Object.hasOwn(servers, target))
    yield { field: `${field}.target`, message: `no proxy defined for target ${target}` };
}

function isThisMachine(host: string): boolean {
  return host.toLowerCase() === 'localhost' || host.startsWith('127.') || host === '::1';
}
