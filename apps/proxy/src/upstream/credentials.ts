/** What a proxy server is told about who asks, for the header `Proxy-Authorization`. */
import type { Authentication } from '@incusos/proxy-settings';

export interface Credentials {
  /**
   * The header's value for one request; none for a server that asks nobody.
   * @throws ProxyFailure when there is none to be had.
   */
  header(): Promise<string | undefined>;
  /** The server refused what it was given last. */
  refused(): void;
}

const nothing: Credentials = { header: () => Promise.resolve(undefined), refused: () => undefined };

/** RFC 7617, in UTF-8. */
function basic(username: string, password: string): Credentials {
  const value = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  return { ...nothing, header: () => Promise.resolve(value) };
}

export type Kerberos = Extract<Authentication, { type: 'kerberos' }>;

/** @param negotiate makes those for a server that wants Kerberos. */
export function credentialsFor(
  authentication: Authentication,
  negotiate: (kerberos: Kerberos) => Credentials,
): Credentials {
  switch (authentication.type) {
    case 'anonymous':
      return nothing;
    case 'basic':
      return basic(authentication.username, authentication.password);
    case 'kerberos':
      return negotiate(authentication);
  }
}
