/**
 * What changes without anyone announcing it: traffic, neighbours, partners of bonds, peers of tunnels. Only the last
 * need a program.
 */
import type { SystemNetworkWireguardState } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { readTunnels } from '../wireguard/tunnels.ts';
import { type LacpEnds, parseBonding } from './bonding.ts';
import { type Counters, parseCounters } from './counters.ts';
import { type Neighbour, neighboursIn, parseNeighbours } from './networkctl.ts';
import { callVarlink } from './varlink.ts';

export interface Moving {
  readonly counters: ReadonlyMap<string, Counters>;
  /** By the name of the card that heard them. */
  readonly neighbours: ReadonlyMap<string, readonly Neighbour[]>;
  /** By the name of the member of a bond. */
  readonly lacp: ReadonlyMap<string, LacpEnds>;
  /** By the name of the tunnel. */
  readonly tunnels: ReadonlyMap<string, SystemNetworkWireguardState>;
}

/** What of it a configuration has; the rest is not asked for. */
export interface MovingParts {
  /** Whether neighbours are listened for. */
  readonly neighbours: boolean;
  /** Names of the bond devices that speak LACP. */
  readonly lacpBonds: readonly string[];
  /** Whether there are tunnels. The kernel tells of their peers only to a program. */
  readonly tunnels: boolean;
}

const networkdSocket = '/run/systemd/netif/io.systemd.Network';

export async function readMoving(host: Host, parts: MovingParts): Promise<Moving> {
  const [counters, tunnels, neighbours, ...bonds] = await Promise.all([
    host.files.readText('/proc/net/dev'),
    parts.tunnels ? readPeers(host) : new Map<string, SystemNetworkWireguardState>(),
    parts.neighbours ? readNeighbours(host) : new Map<string, Neighbour[]>(),
    ...parts.lacpBonds.map((bond) => readBond(host, bond)),
  ]);
  return {
    counters: parseCounters(counters),
    neighbours,
    lacp: new Map(bonds.flatMap((ends) => [...ends])),
    tunnels,
  };
}

/** networkd is asked itself (systemd 257 keeps no file of them); its program answers where its socket doesn't. */
async function readNeighbours(host: Host): Promise<Map<string, Neighbour[]>> {
  try {
    return neighboursIn(await callVarlink(host, networkdSocket, 'io.systemd.Network.GetLLDPNeighbors'));
  } catch {
    const { stdout } = await host.programs.run(['networkctl', 'lldp', '--json=short', '--no-pager']);
    return parseNeighbours(stdout);
  }
}

/** That they can't be read is no reason to tell nothing of the network. */
function readPeers(host: Host): Promise<ReadonlyMap<string, SystemNetworkWireguardState>> {
  return readTunnels(host).catch(() => new Map<string, SystemNetworkWireguardState>());
}

async function readBond(host: Host, bond: string): Promise<Map<string, LacpEnds>> {
  // It isn't there before networkd made it.
  return parseBonding(await host.files.readText(`/proc/net/bonding/${bond}`).catch(() => ''));
}
