/** The settings of the local proxy, as the file that they are handed over in holds them. */
import { destinationMatcher } from './destination.ts';
import type { Endpoint } from './endpoint.ts';

export interface ProxySettings {
  /** By the names that rules give as their target. */
  readonly servers: Readonly<Record<string, ProxyServer>>;
  /** The first one that matches decides. */
  readonly rules: readonly ProxyRule[];
}

export interface ProxyServer extends Endpoint {
  readonly authentication: Authentication;
}

export type Authentication =
  | { readonly type: 'anonymous' }
  | { readonly type: 'basic'; readonly username: string; readonly password: string }
  | {
      readonly type: 'kerberos';
      /** The proxy server's. */
      readonly realm: string;
      /** `name@REALM`. */
      readonly principal: string;
      readonly password: string;
    };

export interface ProxyRule {
  /** See {@link destinationMatcher}. */
  readonly destination: string;
  /** A server's name, `direct` or `none`. */
  readonly target: string;
}

/** Where the local proxy is reached. */
export const localProxy = { host: 'localhost', port: 3128 } as const;

export function formatSettings(settings: ProxySettings): string {
  return `${JSON.stringify(settings)}\n`;
}

/** @throws Error saying what is wrong, never a secret. */
export function parseSettings(text: string): ProxySettings {
  const { servers, rules } = object(parse(text), 'the settings');
  if (!Array.isArray(rules)) throw new Error('rules is not a list');
  const named = Object.entries(object(servers, 'servers')).map(([name, server]) => [
    name,
    readServer(name, server),
  ]);
  const settings: ProxySettings = {
    servers: Object.fromEntries(named) as Record<string, ProxyServer>,
    rules: rules.map(readRule),
  };
  for (const { target } of settings.rules) {
    const known = target === 'direct' || target === 'none' || Object.hasOwn(settings.servers, target);
    if (!known) throw new Error(`no proxy defined for target ${target}`);
  }
  return settings;
}

/** What a parser says may quote a password. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error('the settings are not JSON');
  }
}

function readServer(name: string, value: unknown): ProxyServer {
  const { host, port, tls, authentication } = object(value, `server ${name}`);
  if (typeof port !== 'number' || !Number.isInteger(port)) throw new Error(`server ${name} has no port`);
  return {
    host: string(host, `host of server ${name}`),
    port,
    tls: tls === true,
    authentication: readAuthentication(name, object(authentication, `authentication of server ${name}`)),
  };
}

function readAuthentication(server: string, value: Record<string, unknown>): Authentication {
  const field = (key: string): string => string(value[key], `${key} of server ${server}`);
  const { type } = value;
  switch (type) {
    case 'anonymous':
      return { type };
    case 'basic':
      return { type, username: field('username'), password: field('password') };
    case 'kerberos':
      return { type, realm: field('realm'), principal: field('principal'), password: field('password') };
    default:
      throw new Error(`unsupported proxy authentication type of server ${server}`);
  }
}

function readRule(value: unknown, index: number): ProxyRule {
  const { destination, target } = object(value, `rule ${index}`);
  const rule = {
    destination: string(destination, `destination of rule ${index}`),
    target: string(target, `target of rule ${index}`),
  };
  destinationMatcher(rule.destination);
  return rule;
}

function object(value: unknown, what: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new Error(`${what} is not an object`);
  return { ...value };
}

function string(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Error(`${what} is not a string`);
  return value;
}
