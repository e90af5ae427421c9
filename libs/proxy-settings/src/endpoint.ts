/** Where a proxy server is, from the text that a configuration gives. */

export interface Endpoint {
  /** A name or an address, an IPv6 one without brackets. */
  readonly host: string;
  /** 0 when the text doesn't tell. */
  readonly port: number;
  readonly tls: boolean;
}

const form =
  /^(?:(?<scheme>https?):\/\/)?(?:\[(?<address>[^[\]]+)\]|(?<name>[^:/?#@[\]\s]+))(?::(?<port>\d{1,5}))?\/?$/iu;

/**
 * Reads `host`, `host:port` or a URL of one. A port takes TLS as `useTls` says; without one `http://` means port 80 without
 * TLS and `https://` port 443 with it.
 * @returns `undefined` when the text is none of these.
 */
export function parseEndpoint(text: string, useTls: boolean): Endpoint | undefined {
  const { scheme, address, name, port } = form.exec(text)?.groups ?? {};
  const host = address ?? name;
  if (host === undefined) return undefined;
  if (port !== undefined) {
    const number = Number(port);
    return number >= 1 && number <= 65_535 ? { host, port: number, tls: useTls } : undefined;
  }
  if (scheme === undefined) return { host, port: 0, tls: useTls };
  return scheme.toLowerCase() === 'https' ? { host, port: 443, tls: true } : { host, port: 80, tls: false };
}
