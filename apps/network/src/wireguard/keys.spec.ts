import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { withPrivateKeys } from './keys.ts';

const key = 'kNVmYGHQ7bKVNfvJgWcCSCOlM8cBIhe0TzEbe+m8JW0=';
const config = (...wireguard: { name: string; private_key?: string }[]): SystemNetworkConfig =>
  SystemNetworkConfig.fromPartial({ wireguard });
const keys = (one: SystemNetworkConfig): (string | undefined)[] =>
  one.wireguard.map(({ private_key: secret }) => secret);

describe('private keys', () => {
  it('are made where none is given, each its own', () => {
    const made = keys(withPrivateKeys(config({ name: 'a' }, { name: 'b', private_key: '' }), undefined));
    expect(new Set(made).size).toBe(2);
    for (const secret of made) {
      const bytes = Buffer.from(secret ?? '', 'base64');
      expect(bytes.length).toBe(32);
      // The form in which Curve25519 uses them, so that `wg` shows the same text.
      expect([(bytes[0] ?? 1) & 7, (bytes[31] ?? 0) & 0xc0]).toEqual([0, 0x40]);
    }
  });

  it('that are given stay', () => {
    const given = config({ name: 'a', private_key: key });
    expect(withPrivateKeys(given, config({ name: 'a', private_key: 'other' }))).toBe(given);
  });

  it('of a tunnel stay when its configuration is sent again without', () => {
    expect(keys(withPrivateKeys(config({ name: 'a' }), config({ name: 'a', private_key: key })))).toEqual([
      key,
    ]);
  });

  it('are not taken over from a tunnel of another name', () => {
    expect(
      keys(withPrivateKeys(config({ name: 'b' }), config({ name: 'a', private_key: key }))),
    ).not.toContain(key);
  });
});
