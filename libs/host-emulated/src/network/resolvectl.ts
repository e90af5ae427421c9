/** resolvectl(1): cache flush, queries answered by the emulated LAN, and the name servers of each link. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { contains } from './addressing.ts';
import { addressesOf, nameServersOf, routesOf } from './live.ts';
import { wayOut } from './kernel.ts';
import type { Link, NetworkSection } from './section.ts';

/** How long a name server that doesn't answer is waited for, in milliseconds; the real one takes some seconds. */
const patienceMs = 400;
const interfaceOption = '--interface=';

export const resolvectl: Tool = async (call) => {
  const [verb = 'status', ...names] = call.args.filter(
    (arg) => !/^--(?:no-pager|cache=.*|legend=.*|interface=.*)$/u.test(arg),
  );
  const only = call.args.find((arg) => arg.startsWith(interfaceOption))?.slice(interfaceOption.length);
  switch (verb) {
    case 'flush-caches':
    case 'reset-server-features':
      return names.length === 0 ? {} : failure('Too many arguments.');
    case 'status':
      return status(call);
    case 'query':
      if (names.length === 0) return failure('Too few arguments.');
      return query(call, names[0] ?? '', only);
    default:
      return failure(
        verb.startsWith('-')
          ? `resolvectl: unrecognized option '${verb}'`
          : `Unknown command verb '${verb}'.`,
      );
  }
};

/** @param only the link that is asked; all unless given. */
async function query({ machine, signal }: ToolCall, name: string, only?: string): Promise<ToolResult> {
  const section = machine.read().network;
  const links = section.links.filter((link) => only === undefined || link.name === only);
  if (only !== undefined && links.length === 0)
    return failure(`Failed to resolve interface "${only}": No such device`);
  const servers = links.flatMap((link) =>
    nameServersOf(section, link).map((server) => ({ link, server: server.split('#')[0] ?? '' })),
  );
  if (servers.length === 0) {
    return failure(`${name}: resolve call failed: No appropriate name servers or networks for name found`);
  }
  if (!servers.some(({ link, server }) => reaches(section, link, server))) {
    await delay(patienceMs, signal);
    return failure(`${name}: resolve call failed: All attempts to contact name servers or networks failed`);
  }
  if (!section.lan.internet || name.endsWith('.invalid')) return failure(`${name}: Name '${name}' not found`);
  return {
    stdout: `${name}: 203.0.113.80\n\n-- Information acquired via protocol DNS in 11.4ms.\n-- Data is authenticated: no; Data was acquired via local or encrypted transport: no\n-- Data from: network\n`,
  };
}

/** Whether packets of a link get to an address that answers: on the LAN's own resolver, or beyond its router. */
export function reaches(section: Readonly<NetworkSection>, link: Link, target: string): boolean {
  const { ipv4, ipv6, internet } = section.lan;
  const source = link.kind === 'vlan' ? undefined : wayOut(section, link);
  if (source === undefined) return false;
  const family = target.includes(':') ? 6 : 4;
  const routes = routesOf(section, link).filter((route) => route.family === family);
  const addresses = addressesOf(section, link).filter(
    (address) => address.family === family && address.scope === 'global',
  );
  const onLan =
    family === 4
      ? ipv4 !== null && contains(ipv4.network, target)
      : ipv6 !== null && contains(ipv6.prefix, target);
  const known = family === 4 ? (ipv4?.dns ?? []) : (ipv6?.dns ?? []);
  if (onLan)
    return (
      known.includes(target) &&
      routes.some(({ to, via }) => via === undefined && to !== 'default' && contains(to, target)) &&
      addresses.some(({ address }) =>
        contains(family === 4 ? (ipv4?.network ?? '') : (ipv6?.prefix ?? ''), address),
      )
    );
  const router = family === 4 ? ipv4?.gateway : ipv6?.router;
  return internet && addresses.length > 0 && routes.some(({ to, via }) => to === 'default' && via === router);
}

function status({ machine }: ToolCall): ToolResult {
  const section = machine.read().network;
  const links = section.links.filter(({ kind }) => kind !== 'loopback');
  const global =
    'Global\n         Protocols: -LLMNR -mDNS -DNSOverTLS DNSSEC=no/unsupported\n  resolv.conf mode: stub\n';
  const blocks = links.map((link) => {
    const servers = nameServersOf(section, link);
    const shown = servers.length === 0 ? '' : `       DNS Servers: ${servers.join(' ')}\n`;
    const domains = link.network?.domains.length
      ? `        DNS Domain: ${link.network.domains.join(' ')}\n`
      : '';
    return `\nLink ${link.index} (${link.name})\n    Current Scopes: ${servers.length === 0 ? 'none' : 'DNS'}\n${shown}${domains}`;
  });
  return { stdout: global + blocks.join('') };
}

function delay(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, ms);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
      resolve();
    });
  });
}
