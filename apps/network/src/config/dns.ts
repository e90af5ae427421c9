/** Rules for names and servers that end in configuration files: they must not be able to end their line. */
import { isIP } from 'node:net';
import type { SystemNetworkDNS } from '@incusos/contracts/network';
import type { Violation } from './violation.ts';

const label = '[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?';
const domainName = new RegExp(`^${label}(?:\\.${label})*\\.?$`, 'u');
const hostName =
  /^[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?(?:\.[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*$/u;
/** HOST_NAME_MAX of Linux. */
const longestHostName = 64;

export function isDomain(text: string): boolean {
  return text.length <= 253 && domainName.test(text);
}

/**
 * An address as `DNS=` of systemd.network(5) has it: with a port or a server name where wanted. A zone (`%eth0`) is
 * none of it, since systemd ignores the server when the device isn't there yet; servers are asked through each link.
 */
function isNameServer(text: string): boolean {
  const [whole = '', serverName] = text.split(/#(.*)/su, 2);
  if (serverName !== undefined && !isDomain(serverName)) return false;
  if (isIP(whole) !== 0) return !whole.includes('%');
  // A leading zero would make the port an octal number.
  const [, four, six, port] = /^(?:([\d.]+)|\[([^\]%]+)\]):([1-9]\d{0,4})$/u.exec(whole) ?? [];
  return (isIP(four ?? '') === 4 || isIP(six ?? '') === 6) && Number(port) <= 65_535;
}

/** systemd resolves these itself, and ignores them elsewhere (`is_localhost` in basic/hostname-util.c). */
const isLocalHost = (name: string): boolean => /(?:^|\.)localhost(?:\.localdomain)?\.?$/iu.test(name);

export function* checkDns(dns: SystemNetworkDNS | undefined): Generator<Violation> {
  if (dns === undefined) return;
  const { hostname, domain } = dns;
  if (hostname !== '' && (hostname.length > longestHostName || !hostName.test(hostname))) {
    yield { field: 'config.dns.hostname', message: `invalid hostname '${hostname}'` };
  }
  if (domain !== '' && !isDomain(domain))
    yield { field: 'config.dns.domain', message: `invalid domain '${domain}'` };
  for (const [index, name] of dns.search_domains.entries()) {
    // systemd marks a routing-only domain by `~`, and `.` or `~.` stands for all names.
    const bare = name.replace(/^~/u, '');
    if (bare !== '.' && (!isDomain(bare) || isLocalHost(bare))) {
      yield { field: `config.dns.search_domains[${index}]`, message: `invalid search domain '${name}'` };
    }
  }
  for (const [index, server] of dns.nameservers.entries()) {
    if (!isNameServer(server)) {
      yield {
        field: `config.dns.nameservers[${index}]`,
        message: `invalid name server '${server}', must be an IP address`,
      };
    }
  }
}
