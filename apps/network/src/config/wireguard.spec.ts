import { SystemNetworkConfig } from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { validateConfig } from './validate.ts';

const key = 'kNVmYGHQ7bKVNfvJgWcCSCOlM8cBIhe0TzEbe+m8JW0=';
const other = 'pL0yUTyqDwcgxqPZV7Cr+Y5CEEqIv8e40ROmM9dv2Vw=';

const problems = (tunnel: object): string[] =>
  [
    ...validateConfig(SystemNetworkConfig.fromPartial({ wireguard: [{ name: 'w', ...tunnel }] }), 'strict'),
  ].map(
    ({ field, message }) =>
      `${field.replace('config.wireguard[0].', '')}: ${message.replace('wireguard 0 ', '')}`,
  );
const peer = (change: object): string[] => problems({ peers: [{ public_key: key, ...change }] });

describe('a tunnel', () => {
  it('is taken with all that it can have', () => {
    const peers = [
      {
        public_key: key,
        preshared_key: other,
        endpoint: '[2001:db8::1]:51820',
        allowed_ips: ['10.0.0.1/8', '2001:db8::/32'],
        persistent_keepalive: 25,
      },
      { public_key: other, endpoint: 'vpn.example.org:51820' },
    ];
    expect(problems({ private_key: key, port: 51_820, addresses: ['10.0.0.2/24'], peers })).toEqual([]);
  });

  it('takes every key of 32 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 32, maxLength: 32 }), (bytes) => {
        expect(problems({ private_key: Buffer.from(bytes).toString('base64') })).toEqual([]);
      }),
    );
  });

  it('refuses keys of another length, of which systemd would leave the peer out', () => {
    expect(problems({ private_key: 'aGVsbG8=' })).toEqual(["private_key: private key '***' invalid"]);
    expect(peer({ public_key: '' })).toEqual(['peers[0].public_key: peer 0 public key invalid']);
    expect(peer({ preshared_key: key.slice(4) })).toEqual([
      'peers[0].preshared_key: peer 0 preshared key invalid',
    ]);
  });

  it('never repeats a secret in what it says of it', () => {
    const secret = `${key.slice(0, -1)}!`;
    expect(
      [...problems({ private_key: secret }), ...peer({ preshared_key: secret })].join('\n'),
    ).not.toContain(key.slice(0, 10));
  });

  it('refuses two peers with the same key, which are one to the kernel', () => {
    expect(problems({ peers: [{ public_key: key }, { public_key: other }, { public_key: key }] })).toEqual([
      'peers[2].public_key: peer 2 public key is that of peer 0',
    ]);
  });

  it('refuses methods where only networks make sense', () => {
    expect(peer({ allowed_ips: ['dhcp4'] })).toEqual([
      "peers[0].allowed_ips[0]: peer 0 allowed IP 0 invalid IP address 'dhcp4', must provide a CIDR mask",
    ]);
    expect(problems({ addresses: ['10.0.0.1/24', 'slaac'] })).toEqual([
      "addresses[1]: address 1 'slaac' can't be used on a tunnel",
    ]);
  });

  it.each([
    ['192.0.2.1', 'missing port in address'],
    ['2001:db8::1:51820', 'too many colons in address'],
    ['192.0.2.1:0', 'port out of range'],
    ['192.0.2.1:65536', 'port out of range'],
    ['[192.0.2.1]:1', 'bad host'],
    ['vpn example:1', 'bad host'],
    ['a..b:1', 'bad host'],
    ['[fe80::1%eth0]:1', 'bad host'],
  ])('refuses the endpoint %s', (endpoint, why) => {
    expect(peer({ endpoint })).toEqual([
      `peers[0].endpoint: peer 0 invalid endpoint '${endpoint}': address ${endpoint}: ${why}`,
    ]);
  });
});

describe('the source of a firewall rule', () => {
  const source = (text: string): string[] =>
    problems({ firewall_rules: [{ action: 'accept', source: text }] });

  it('is an address or a network', () => {
    for (const text of ['192.0.2.1', '192.0.2.1/24', '0.0.0.0/0', '2001:db8::1', '::/0']) {
      expect(source(text)).toEqual([]);
    }
  });

  it('is nothing else', () => {
    for (const text of ['fe80::1%eth0', '192.0.2.1/33', '192.0.2.1-192.0.2.9', '{ 192.0.2.1 }', '@set']) {
      expect(source(text)).toEqual([`firewall_rules[0].source: bad address "${text}"`]);
    }
  });
});
