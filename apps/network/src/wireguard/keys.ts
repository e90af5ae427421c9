/** Private keys of tunnels that were configured without one. */
import { randomBytes } from 'node:crypto';
import type { SystemNetworkConfig } from '@incusos/contracts/network';

/**
 * The configuration with a private key for every tunnel. One without a key keeps the key that a tunnel of its name has,
 * so that its peers still know it when a configuration is sent again; else it gets a new one.
 * @param inForce the configuration that this one replaces.
 */
export function withPrivateKeys(
  config: SystemNetworkConfig,
  inForce: SystemNetworkConfig | undefined,
): SystemNetworkConfig {
  if (config.wireguard.every(({ private_key: key = '' }) => key !== '')) return config;
  const known = new Map(inForce?.wireguard.map(({ name, private_key: key = '' }) => [name, key]));
  const keyOf = (name: string): string => {
    const key = known.get(name) ?? '';
    return key === '' ? newPrivateKey() : key;
  };
  return {
    ...config,
    wireguard: config.wireguard.map((tunnel) => {
      const { private_key: key = '' } = tunnel;
      return key === '' ? { ...tunnel, private_key: keyOf(tunnel.name) } : tunnel;
    }),
  };
}

/** As `wg genkey` makes them: 32 random bytes in the form in which Curve25519 uses them (RFC 7748, 5), in base64. */
function newPrivateKey(): string {
  const key = randomBytes(32);
  key[0] = (key[0] ?? 0) & 248;
  key[31] = ((key[31] ?? 0) & 127) | 64;
  return key.toString('base64');
}
