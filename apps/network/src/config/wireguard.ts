/** Rules for WireGuard (25 to 30). */
import { isIP } from 'node:net';
import type { SystemNetworkWireguard, SystemNetworkWireguardPeer } from '@incusos/contracts/network';
import { checkAllowedIps } from './addresses.ts';
import { checkDevice } from './device.ts';
import { at, type Place, type Violation } from './violation.ts';

/** Standard base64 with its padding; the empty string is valid. */
function isBase64(text: string): boolean {
  return text.length % 4 === 0 && /^[\d+/A-Za-z]*={0,2}$/u.test(text);
}

export function* checkWireguard(wireguard: SystemNetworkWireguard, place: Place): Generator<Violation> {
  yield* checkDevice(wireguard, place);
  const { private_key: key = '', port = 0 } = wireguard;
  if (!isBase64(key)) yield at(place, 'private_key', "private key '***' invalid");
  if (port < 0 || port > 65_535) yield at(place, 'port', `port '${port}' out of range`);
  for (const [index, peer] of wireguard.peers.entries())
    yield* checkPeer(peer, `peers[${index}]`, `peer ${index}`, place);
}

function* checkPeer(
  peer: SystemNetworkWireguardPeer,
  field: string,
  prefix: string,
  place: Place,
): Generator<Violation> {
  const { preshared_key: shared = '', persistent_keepalive: keepalive = 0, endpoint = '' } = peer;
  if (!isBase64(peer.public_key)) yield at(place, `${field}.public_key`, `${prefix} public key invalid`);
  if (!isBase64(shared)) yield at(place, `${field}.preshared_key`, `${prefix} preshared key invalid`);
  yield* checkAllowedIps(peer.allowed_ips, `${field}.allowed_ips`, prefix, place);
  if (keepalive < 0 || keepalive > 65_535) {
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
  if (six !== undefined ? isIP(six) !== 6 : !/^[\w.-]+$/u.test(host)) return `address ${endpoint}: bad host`;
  return Number(port) > 65_535 ? `address ${endpoint}: port out of range` : undefined;
}
