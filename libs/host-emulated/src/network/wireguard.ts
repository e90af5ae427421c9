/** WireGuard devices: networkd's settings for them, and the keys. */
import { createPrivateKey, createPublicKey, randomBytes, randomInt } from 'node:crypto';
import { isIP } from 'node:net';
import { networkOf, parseCidr } from './addressing.ts';
import type { Wireguard, WireguardPeer } from './section.ts';
import { type UnitFile, type UnitSection, valueOf, valuesOf } from './unit-file.ts';

/** What stands before the 32 bytes of an X25519 key in PKCS #8 (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b656e04220420', 'hex');

/**
 * What networkd gives the kernel for a `.netdev` file; a peer that it can't use is left out, as it does.
 * @param port the one that the kernel chose earlier.
 */
export function wireguardOf(
  file: UnitFile,
  warnings: string[],
  port: number = randomInt(32_768, 61_000),
): Wireguard {
  const key = valueOf(file, 'WireGuard', 'PrivateKey');
  if (key !== undefined && !isKey(key))
    warnings.push(
      `${file.path}: Failed to decode wireguard key provided by PrivateKey=, ignoring assignment.`,
    );
  const listen = Number(valueOf(file, 'WireGuard', 'ListenPort') ?? 0);
  return {
    private_key: key === undefined || !isKey(key) ? null : key,
    listen_port: listen === 0 ? port : listen,
    peers: file.sections
      .filter(({ name }) => name === 'WireGuardPeer')
      .flatMap((section) => peerOf(file, section, warnings)),
  };
}

function peerOf(file: UnitFile, section: UnitSection, warnings: string[]): WireguardPeer[] {
  const one = { sections: [section] };
  const value = (key: string): string | undefined => valueOf(one, 'WireGuardPeer', key);
  const publicKey = value('PublicKey') ?? '';
  if (!isKey(publicKey)) {
    warnings.push(
      `${file.path}: WireGuardPeer section without PublicKey= configured. Ignoring [WireGuardPeer] section.`,
    );
    return [];
  }
  const networks = valuesOf(one, 'WireGuardPeer', 'AllowedIPs').flatMap((text) => text.split(/[\s,]+/u));
  const allowed = networks.flatMap((text) => {
    const cidr = parseCidr(text);
    if (cidr === undefined) warnings.push(`${file.path}: Failed to parse AllowedIPs=, ignoring: ${text}`);
    return cidr === undefined ? [] : [networkOf(cidr.address, cidr.length)];
  });
  return [
    {
      public_key: publicKey,
      preshared_key: value('PresharedKey') ?? null,
      endpoint: addressOf(value('Endpoint') ?? ''),
      allowed_ips: allowed,
      keepalive: Number(value('PersistentKeepalive') ?? 0),
    },
  ];
}

/** The kernel knows addresses only; nothing in the emulated world has a name. */
function addressOf(endpoint: string): string | null {
  const host = endpoint.slice(0, endpoint.lastIndexOf(':')).replaceAll(/[[\]]/gu, '');
  return isIP(host) === 0 ? null : endpoint;
}

export function isKey(text: string): boolean {
  return Buffer.from(text, 'base64').length === 32 && /^[\d+/A-Za-z]{43}=$/u.test(text);
}

export function newKey(): string {
  const key = randomBytes(32);
  key[0] = (key[0] ?? 0) & 248;
  key[31] = ((key[31] ?? 0) & 127) | 64;
  return key.toString('base64');
}

export function publicKeyOf(privateKey: string): string {
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8, Buffer.from(privateKey, 'base64')]),
    format: 'der',
    type: 'pkcs8',
  });
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(-32).toString('base64');
}
