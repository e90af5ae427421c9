/** Rules for WireGuard (25 to 30). */
import { isIP } from 'node:net';
import type { SystemNetworkWireguard, SystemNetworkWireguardPeer } from '@incusos/contracts/network';
import { checkAllowedIps, methods } from './addresses.ts';
import { isDomain } from './dns.ts';
import { checkDevice } from './device.ts';
import { at, type Place, type Violation } from './violation.ts';

/** 32 bytes in base64: systemd-networkd leaves out a peer with any other key, and a device is of no use without one. */
const key = /^[\d+/A-Za-z]{42}[048AEIMQUYcgkosw]=$/u;
const longestKeepalive = 65_535;

export function* checkWireguard(wireguard: SystemNetworkWireguard, place: Place): Generator<Violation> {
  yield* checkDevice(wireguard, place);
  for (const [index, address] of wireguard.addresses.entries()) {
    // Neither leases nor router advertisements cross a tunnel.
    if (methods.has(address))
      yield at(place, `addresses[${index}]`, `address ${index} '${address}' can't be used on a tunnel`);
  }
  const { private_key: secret = '', port = 0 } = wireguard;
  // A typing error leaves most of a secret in it, so it isn't repeated.
  if (secret !== '' && !key.test(secret)) yield at(place, 'private_key', "private key '***' invalid");
  if (port < 0 || port > 65_535) yield at(place, 'port', `port '${port}' out of range`);
  const seen = new Map<string, number>();
  for (const [index, peer] of wireguard.peers.entries()) {
    yield* checkPeer(peer, `peers[${index}]`, `peer ${index}`, place);
    const first = seen.get(peer.public_key);
    // The kernel has one peer of a key, with whatever was set last.
    if (first !== undefined)
      yield at(place, `peers[${index}].public_key`, `peer ${index} public key is that of peer ${first}`);
    else seen.set(peer.public_key, index);
  }
}

function* checkPeer(
  peer: SystemNetworkWireguardPeer,
  field: string,
  prefix: string,
  place: Place,
): Generator<Violation> {
  const { preshared_key: shared = '', persistent_keepalive: keepalive = 0, endpoint = '' } = peer;
  if (!key.test(peer.public_key)) yield at(place, `${field}.public_key`, `${prefix} public key invalid`);
  if (shared !== '' && !key.test(shared))
    yield at(place, `${field}.preshared_key`, `${prefix} preshared key invalid`);
  yield* checkAllowedIps(peer.allowed_ips, `${field}.allowed_ips`, prefix, place);
  if (keepalive < 0 || keepalive > longestKeepalive) {
    yield at(
      place,
      `${field}.persistent_keepalive`,
      `${prefix} persitent keepalive ${keepalive} out of range`,
    );
  }
  const problem = endpoint === '' ? undefined : endpointProblem(endpoint);
  if (problem !== undefined)
    yield at(place, `${field}.endpoint`, `${prefix} invalid endpoint '${endpoint}': ${problem}`);
}

function endpointProblem(endpoint: string): string | undefined {
  const match = /^(?:\[([^\]]*)\]|([^:[\]]*)):(\d+)$/u.exec(endpoint);
  if (match === null)
    return /:\d+$/u.test(endpoint)
      ? `address ${endpoint}: too many colons in address`
      : `address ${endpoint}: missing port in address`;
  const [, six, host = '', port] = match;
  const known =
    six === undefined ? isIP(host) === 4 || isDomain(host) : isIP(six) === 6 && !six.includes('%');
  if (!known) return `address ${endpoint}: bad host`;
  return Number(port) < 1 || Number(port) > 65_535 ? `address ${endpoint}: port out of range` : undefined;
}
