/** What the kernel says of WireGuard devices, from `wg show all dump` (wg(8)). Its keys that are secret stay here. */
import { SystemNetworkWireguardPeerState, SystemNetworkWireguardState } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';

/** The tunnels by the name of their device. */
export async function readTunnels(host: Host): Promise<ReadonlyMap<string, SystemNetworkWireguardState>> {
  const { stdout } = await host.programs.run(['wg', 'show', 'all', 'dump']);
  return parseTunnels(stdout, Date.now());
}

/**
 * @param dump a line per device (name, private key, public key, port, mark) and one per peer of it (device, public key,
 * preshared key, endpoint, allowed IPs, latest handshake, received, sent, keepalive), separated by tabs.
 * @param now milliseconds since the epoch.
 */
export function parseTunnels(dump: string, now: number): Map<string, SystemNetworkWireguardState> {
  const tunnels = new Map<string, SystemNetworkWireguardState>();
  for (const line of dump.split('\n')) {
    const fields = line.split('\t');
    const [device = ''] = fields;
    if (fields.length === 5) tunnels.set(device, deviceState(fields));
    else if (fields.length === 9) tunnels.get(device)?.peers.push(peerState(fields, now));
  }
  return tunnels;
}

/** Without a key a device has no public key either; the port is 0 until it is up. */
function deviceState([, , publicKey, port]: readonly string[]): SystemNetworkWireguardState {
  const listening = whole(port);
  return SystemNetworkWireguardState.create({
    public_key: given(publicKey),
    ...(listening === 0 ? {} : { listening_port: listening }),
  });
}

function peerState(fields: readonly string[], now: number): SystemNetworkWireguardPeerState {
  const [, publicKey, , endpoint, allowed, handshake, received, sent, keepalive] = fields;
  const [at, seconds] = [whole(handshake), whole(keepalive)];
  return SystemNetworkWireguardPeerState.create({
    public_key: given(publicKey),
    endpoint: given(endpoint),
    allowed_ips: given(allowed)
      .split(',')
      .filter((one) => one !== ''),
    ...(at === 0 ? {} : { latest_handshake: ago(Math.floor(now / 1000) - at) }),
    ...(seconds === 0 ? {} : { persistent_keepalive: `every ${duration(seconds)}` }),
    stats: {
      rx_bytes: BigInt(whole(received)),
      rx_errors: 0n,
      tx_bytes: BigInt(whole(sent)),
      tx_errors: 0n,
    },
  });
}

function given(field = ''): string {
  return field === '(none)' ? '' : field;
}

/** 0 for `off` and `(none)`. */
function whole(field = ''): number {
  return /^\d+$/u.test(field) ? Number(field) : 0;
}

/** As `wg show` words it; a clock that was set back makes it now. */
function ago(seconds: number): string {
  return seconds <= 0 ? 'Now' : `${duration(seconds)} ago`;
}

const units = [
  ['year', 31_536_000],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
  ['second', 1],
] as const;

function duration(seconds: number): string {
  let left = seconds;
  const parts: string[] = [];
  for (const [unit, length] of units) {
    const count = Math.floor(left / length);
    left %= length;
    if (count > 0) parts.push(`${count} ${unit}${count === 1 ? '' : 's'}`);
  }
  return parts.join(', ');
}
