import { isIP, isIPv4 } from 'node:net';

const form = /^(?<host>\[[^\]]*\]|[^:[\]]*):(?<port>\d+)$/u;

/**
 * What is wrong with an address to listen on, as a few words; `undefined` when it is `IP:port`, with brackets around
 * an IPv6 address, or `:port` for all addresses. Port 0 lets the system choose.
 */
export function listenAddressProblem(address: string): string | undefined {
  const parts = form.exec(address)?.groups;
  if (parts === undefined) return `${JSON.stringify(address)} is not of the form IP:port`;
  const { host = '', port = '' } = parts;
  if (Number(port) > 65_535) return `port ${port} is larger than 65535`;
  if (host === '') return undefined;
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  const valid = host.startsWith('[') ? isIP(bare) === 6 : isIPv4(bare);
  return valid ? undefined : `${JSON.stringify(bare)} is not an IP address`;
}
