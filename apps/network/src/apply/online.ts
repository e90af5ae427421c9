/** Waits until the devices that are required have addresses, and names can be resolved. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { resolverAnswers } from '../dns/resolvectl.ts';
import { hostName } from '../render/device-names.ts';
import type { LinkDetails } from '../state/ip.ts';
import { type LinkStatus, parseStatuses } from '../state/networkctl.ts';
import { readLinks } from '../state/readings.ts';

/** The network did not come up. */
export class NotOnlineError extends Error {
  override readonly name = 'NotOnlineError';
}

interface Required {
  /** As configured. */
  readonly name: string;
  /** The one that carries the addresses. */
  readonly device: string;
}

const pollMs = 250;
/** Duplicate address detection of IPv6 takes as long. */
const duplicateDetectionMs = 3_000;
/** Name servers that come with a lease are there about as soon as its address. */
const nameServerGraceMs = 2_000;

/** Devices with addresses that were not declared dispensable. */
function requiredDevices(config: SystemNetworkConfig): Required[] {
  const wanted = ({
    addresses,
    required_for_online: online,
  }: {
    addresses: string[];
    required_for_online?: string | undefined;
  }): boolean => addresses.length > 0 && online !== 'no';
  return [
    ...[...config.interfaces, ...config.bonds]
      .filter(wanted)
      .map(({ name }) => ({ name, device: hostName(name) })),
    ...config.vlans.filter(wanted).map(({ name }) => ({ name, device: name })),
  ];
}

/**
 * @param deadline on the clock of `performance.now()`, which a synchronized time doesn't move.
 * @throws NotOnlineError naming the devices that lack an address, or that no name server answered.
 */
export async function waitUntilOnline(
  host: Host,
  config: SystemNetworkConfig,
  deadline: number,
): Promise<void> {
  const required = requiredDevices(config);
  const servers = (config.dns?.nameservers ?? []).length > 0;
  if (required.length > 0) {
    await waitForAddresses(host, required, deadline);
    if (needsSix(config))
      await sleep(Math.min(duplicateDetectionMs, Math.max(0, deadline - performance.now())));
  }
  // Where nothing has to be online, only servers that somebody named are expected to answer.
  if (required.length === 0 && !servers) return;
  const links = required.map(({ device }) => device);
  await waitForNames(host, links, deadline, { servers: required.length > 0 && servers });
}

function needsSix(config: SystemNetworkConfig): boolean {
  return [...config.interfaces, ...config.bonds, ...config.vlans].some(
    ({ addresses, required_for_online: online = '' }) =>
      addresses.length > 0 && (online === 'ipv6' || online === 'both'),
  );
}

async function waitForAddresses(host: Host, required: readonly Required[], deadline: number): Promise<void> {
  let missing = required;
  while (missing.length > 0) {
    const [list, statuses] = await Promise.all([readLinks(host), readStatuses(host)]);
    const links = new Map(list.map((link) => [link.name, link]));
    missing = required.filter(({ device }) => !isOnline(links.get(device), statuses.get(device)));
    if (missing.length === 0) return;
    if (performance.now() + pollMs > deadline) {
      const names = missing.map(({ name }) => name).join(', ');
      throw new NotOnlineError(
        `timed out waiting for the network to come online: ${names} ${missing.length === 1 ? 'has' : 'have'} no usable address`,
      );
    }
    await sleep(pollMs);
  }
}

function isOnline(link: LinkDetails | undefined, status: LinkStatus | undefined): boolean {
  return status?.online === 'online' && link?.addresses.some(({ scope }) => scope === 'global') === true;
}

async function readStatuses(host: Host): Promise<Map<string, LinkStatus>> {
  const { stdout } = await host.programs.run(['networkctl', 'list', '--json=short', '--no-pager']);
  return parseStatuses(stdout);
}

/** @param needed whether there must be name servers. */
async function waitForNames(
  host: Host,
  links: readonly string[],
  deadline: number,
  needed: { readonly servers: boolean },
): Promise<void> {
  const started = performance.now();
  for (;;) {
    const answer = await resolverAnswers(
      host,
      links,
      Math.max(pollMs, Math.ceil(deadline - performance.now())),
    );
    if (answer === 'answers') return;
    // A network may have no name server at all; then there is none to wait for.
    const none = answer === 'no-servers' && performance.now() - started > nameServerGraceMs;
    if (none && !needed.servers) return;
    if (performance.now() + pollMs > deadline)
      throw new NotOnlineError('timed out waiting for DNS: no name server answered');
    await sleep(pollMs);
  }
}
