import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { normalizeConfig } from './normalize.ts';
import { withoutMacs } from '../network-import.ts';
import { checkFreeNames, checkPresence, resolveNames } from './resolve-names.ts';
import { validateConfig } from './validate.ts';
import { refuse } from './refuse.ts';

type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

const mac = (number: number): string => `10:66:6a:00:00:${number.toString(16).padStart(2, '0')}`;
const entry = { name: 'a', hwaddr: mac(1), addresses: ['dhcp4'] };
const bond = { name: 'b', mode: '802.3ad', members: [mac(2), mac(3)] };
const vlan = { name: 'v', id: 10, parent: 'a' };
const key = 'kNVmYGHQ7bKVNfvJgWcCSCOlM8cBIhe0TzEbe+m8JW0=';
const wireguard = { name: 'w', peers: [{ public_key: key, allowed_ips: ['10.0.0.0/8'] }] };

const config = (draft: Draft): SystemNetworkConfig => SystemNetworkConfig.fromPartial(draft);
const problems = (draft: Draft, pass: 'loose' | 'strict' = 'strict'): string[] =>
  [...validateConfig(config(draft), pass)].map(({ field, message }) => `${field}: ${message}`);

/** One interface with something about it changed. */
const changed = (change: object): Draft => ({ interfaces: [{ ...entry, ...change }] });
const rule = (change: object): Draft => changed({ firewall_rules: [{ action: 'accept', ...change }] });
const peer = (change: object): Draft => ({
  wireguard: [{ ...wireguard, peers: [{ public_key: key, ...change }] }],
});

describe('a valid configuration', () => {
  it('has no violations, with devices of every kind', () => {
    const whole = {
      interfaces: [
        {
          ...entry,
          addresses: ['dhcp4', 'slaac'],
          mtu: 9000,
          roles: ['management', 'cluster'],
          required_for_online: 'both',
          vlan_tags: [1, 4094],
          routes: [
            { to: '0.0.0.0/0', via: 'dhcp4' },
            { to: '::/0', via: 'slaac', onlink: true },
          ],
        },
        {
          name: 'c',
          hwaddr: mac(9),
          ethernet: {
            wakeonlan: true,
            wakeonlan_modes: ['secureon'],
            wakeonlan_password: mac(7),
            rx_buffer_size: 'max',
          },
        },
      ],
      bonds: [
        {
          ...bond,
          hwaddr: mac(2),
          options: {
            arp_ip_targets: [],
            mii_monitor_interval: 100,
            lacp_rate: 'slow',
            transmit_hash_policy: 'layer2+3',
          },
        },
      ],
      vlans: [vlan, { ...vlan, name: 'v2', id: 0, parent: 'b' }],
      wireguard: [{ ...wireguard, private_key: key, port: 51820 }],
      dns: {
        hostname: 'server1',
        domain: 'example.org',
        nameservers: ['192.0.2.1', '2001:db8::1', '1.1.1.1#one.one.one.one'],
        search_domains: ['example.org', '~.'],
      },
      time: { ntp_servers: ['ntp.example.org', '192.0.2.1'], timezone: 'Europe/Berlin' },
    };
    expect(problems(whole)).toEqual([]);
  });

  it('may name a device instead of its MAC only before names are resolved', () => {
    expect(problems(changed({ hwaddr: 'enp5s0' }), 'loose')).toEqual([]);
    expect(problems(changed({ hwaddr: 'enp5s0' }), 'strict')).toEqual([
      "config.interfaces[0].hwaddr: interface 0 invalid MAC address 'enp5s0'",
    ]);
  });
});

describe('a configuration is refused, with the field and the text, for', () => {
  const cases: [what: string, draft: Draft, problem: string][] = [
    [
      'rule 1, a name used twice',
      { interfaces: [entry], vlans: [{ ...vlan, name: 'a' }] },
      'config.vlans[0].name: duplicate interface/bond/vlan/wireguard name: a',
    ],
    [
      'rule 2, a MAC used twice',
      { interfaces: [entry, { ...entry, name: 'c', hwaddr: mac(1).toUpperCase() }] },
      `config.interfaces[1].hwaddr: duplicate MAC address: ${mac(1).toUpperCase()}`,
    ],
    [
      'rule 2, a MAC of an interface and a member',
      { interfaces: [entry], bonds: [{ ...bond, members: [mac(1)] }] },
      `config.bonds[0].members[0]: duplicate MAC address: ${mac(1)}`,
    ],
    [
      'rule 2, a bond with the MAC of an interface',
      { interfaces: [entry], bonds: [{ ...bond, hwaddr: mac(1) }] },
      `config.bonds[0].hwaddr: duplicate MAC address: ${mac(1)}`,
    ],
    ['rule 3', changed({ name: '' }), 'config.interfaces[0].name: interface 0 has no name'],
    [
      'rule 4',
      changed({ name: '_a' }),
      'config.interfaces[0].name: interface 0 name cannot begin with an underscore',
    ],
    [
      'rule 5',
      { bonds: [{ ...bond, name: 'abcdefghijklmn' }] },
      "config.bonds[0].name: bond 0 name 'abcdefghijklmn' cannot be longer than 13 characters",
    ],
    [
      'rule 5, in bytes',
      changed({ name: 'äöüäöüä' }),
      "config.interfaces[0].name: interface 0 name 'äöüäöüä' cannot be longer than 13 characters",
    ],
    ['rule 6', changed({ mtu: 9001 }), 'config.interfaces[0].mtu: interface 0 MTU out of range'],
    [
      'rule 6, below zero',
      { interfaces: [entry], vlans: [{ ...vlan, mtu: -1 }] },
      'config.vlans[0].mtu: vlan 0 MTU out of range',
    ],
    [
      'rule 7',
      changed({ roles: ['boss'] }),
      'config.interfaces[0].roles[0]: interface 0 role "boss" is unsupported',
    ],
    [
      'rule 8',
      changed({ roles: ['cluster', 'cluster'] }),
      'config.interfaces[0].roles[1]: interface 0 role "cluster" is listed multiple times',
    ],
    [
      'rule 9',
      rule({ action: 'ignore' }),
      'config.interfaces[0].firewall_rules[0].action: interface 0 unsupported action "ignore"',
    ],
    [
      'rule 10',
      rule({ protocol: 'icmp', port: 1 }),
      'config.interfaces[0].firewall_rules[0].protocol: interface 0 unsupported protocol "icmp"',
    ],
    [
      'rule 11',
      rule({ protocol: 'tcp', port: 65_536 }),
      'config.interfaces[0].firewall_rules[0].port: interface 0 invalid port 65536',
    ],
    [
      'rule 12',
      rule({ port: 22 }),
      'config.interfaces[0].firewall_rules[0].protocol: interface 0 port specified but no protocol provided',
    ],
    [
      'rule 13',
      rule({ protocol: 'udp' }),
      'config.interfaces[0].firewall_rules[0].port: interface 0 protocol specified but no port provided',
    ],
    [
      'rule 14',
      rule({ source: 'everyone' }),
      'config.interfaces[0].firewall_rules[0].source: interface 0 bad address "everyone"',
    ],
    [
      'rule 15, empty',
      changed({ addresses: [''] }),
      'config.interfaces[0].addresses[0]: interface 0 address 0 has empty address',
    ],
    [
      'rule 15, no mask',
      changed({ addresses: ['dhcp4', '192.0.2.1'] }),
      "config.interfaces[0].addresses[1]: interface 0 address 1 invalid IP address '192.0.2.1', must provide a CIDR mask",
    ],
    [
      'rule 15, no address',
      changed({ addresses: ['999.1.1.1/24'] }),
      "config.interfaces[0].addresses[0]: interface 0 address 0 invalid IP address '999.1.1.1/24', must provide a CIDR mask",
    ],
    [
      'rule 15, a route',
      changed({ routes: [{ to: 'default', via: '192.0.2.1' }] }),
      "config.interfaces[0].routes[0].to: interface 0 route 0 'To' invalid IP address 'default', must provide a CIDR mask",
    ],
    [
      'rule 16, empty',
      changed({ routes: [{ to: '0.0.0.0/0', via: '' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' has empty address",
    ],
    [
      'rule 16, no address',
      changed({ routes: [{ to: '0.0.0.0/0', via: 'router' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' invalid IP address 'router'",
    ],
    [
      'a gateway that systemd would reject',
      changed({ routes: [{ to: '::/0', via: 'dhcp6' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' can't be 'dhcp6': DHCPv6 announces no gateway, use 'slaac'",
    ],
    [
      'a gateway that nothing brings',
      changed({ routes: [{ to: '::/0', via: 'slaac' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' 'slaac' needs 'slaac' among the addresses",
    ],
    [
      'a gateway of the other family',
      changed({ routes: [{ to: '::/0', via: '192.0.2.1' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' '192.0.2.1' can't be the gateway for '::/0'",
    ],
    [
      'rule 17',
      changed({ required_for_online: 'maybe' }),
      "config.interfaces[0].required_for_online: interface 0 invalid RequiredForOnline value 'maybe'",
    ],
    ['rule 18', changed({ hwaddr: '' }), 'config.interfaces[0].hwaddr: interface 0 has no MAC address'],
    [
      'rule 18, a member',
      { bonds: [{ ...bond, members: [mac(1), ''] }] },
      'config.bonds[0].members[1]: bond 0 member 1 has no MAC address',
    ],
    [
      'rule 19',
      changed({ hwaddr: '10:66:6a:00:00' }),
      "config.interfaces[0].hwaddr: interface 0 invalid MAC address '10:66:6a:00:00'",
    ],
    [
      'rule 20',
      { bonds: [{ ...bond, mode: 'fast' }] },
      "config.bonds[0].mode: bond 0 invalid Mode value 'fast'",
    ],
    ['rule 21', { bonds: [{ ...bond, members: [] }] }, 'config.bonds[0].members: bond 0 has no members'],
    [
      'rule 22',
      { interfaces: [entry], vlans: [{ ...vlan, id: 4095 }] },
      'config.vlans[0].id: vlan 0 ID 4095 out of range',
    ],
    [
      'rule 23',
      { interfaces: [entry], vlans: [{ ...vlan, parent: '' }] },
      'config.vlans[0].parent: vlan 0 has no parent',
    ],
    [
      'rule 24',
      { interfaces: [entry], vlans: [vlan, { ...vlan, name: 'v2', parent: 'v' }] },
      "config.vlans[1].parent: vlan 1 unable to find parent 'v'",
    ],
    [
      'rule 25',
      { wireguard: [{ ...wireguard, private_key: 'not base64!' }] },
      "config.wireguard[0].private_key: wireguard 0 private key '***' invalid",
    ],
    [
      'rule 26',
      { wireguard: [{ ...wireguard, port: 70_000 }] },
      "config.wireguard[0].port: wireguard 0 port '70000' out of range",
    ],
    [
      'rule 27, public',
      peer({ public_key: '*' }),
      'config.wireguard[0].peers[0].public_key: wireguard 0 peer 0 public key invalid',
    ],
    [
      'rule 27, preshared',
      peer({ preshared_key: '*' }),
      'config.wireguard[0].peers[0].preshared_key: wireguard 0 peer 0 preshared key invalid',
    ],
    [
      'rule 28',
      peer({ allowed_ips: ['10.0.0.1'] }),
      "config.wireguard[0].peers[0].allowed_ips[0]: wireguard 0 peer 0 allowed IP 0 invalid IP address '10.0.0.1', must provide a CIDR mask",
    ],
    [
      'rule 29',
      peer({ persistent_keepalive: 65_536 }),
      'config.wireguard[0].peers[0].persistent_keepalive: wireguard 0 peer 0 persitent keepalive 65536 out of range',
    ],
    [
      'rule 30',
      peer({ endpoint: 'vpn.example.org' }),
      "config.wireguard[0].peers[0].endpoint: wireguard 0 peer 0 invalid endpoint 'vpn.example.org': address vpn.example.org: missing port in address",
    ],
    [
      'rule 31',
      changed({ ethernet: { wakeonlan_password: 'secret' } }),
      "config.interfaces[0].ethernet.wakeonlan_password: interface 0 bad wake-on-lan password: invalid MAC address 'secret'",
    ],
    [
      'an unknown wake-on-lan mode',
      changed({ ethernet: { wakeonlan_modes: ['loud'] } }),
      "config.interfaces[0].ethernet.wakeonlan_modes[0]: interface 0 unsupported wake-on-lan mode 'loud'",
    ],
    [
      'a buffer size that is none',
      changed({ ethernet: { rx_buffer_size: 'big' } }),
      "config.interfaces[0].ethernet.rx_buffer_size: interface 0 invalid buffer size 'big', must be a number or 'max'",
    ],
    [
      'a tag that no frame has',
      changed({ vlan_tags: [4095] }),
      'config.interfaces[0].vlan_tags[0]: interface 0 VLAN tag 4095 out of range',
    ],
    [
      'a name that leaves its directory',
      changed({ name: '../etc' }),
      "config.interfaces[0].name: interface 0 name '../etc' has characters that a device name cannot have",
    ],
    [
      'a name with a line of its own',
      changed({ name: 'a\n[Link]' }),
      "config.interfaces[0].name: interface 0 name 'a\n[Link]' has characters that a device name cannot have",
    ],
    [
      'a name that systemd takes for none',
      changed({ name: 'ünï' }),
      "config.interfaces[0].name: interface 0 name 'ünï' has characters that a device name cannot have",
    ],
    [
      'a number for a name',
      changed({ name: '42' }),
      "config.interfaces[0].name: interface 0 name '42' has characters that a device name cannot have",
    ],
    [
      'the loopback',
      changed({ name: 'lo' }),
      "config.interfaces[0].name: interface 0 name 'lo' is used by the system itself",
    ],
    [
      'a name server with a line of its own',
      { interfaces: [entry], dns: { hostname: '', domain: '', nameservers: ['1.1.1.1\nDHCP=yes'] } },
      "config.dns.nameservers[0]: invalid name server '1.1.1.1\nDHCP=yes', must be an IP address",
    ],
    [
      'a search domain that is none',
      { interfaces: [entry], dns: { hostname: '', domain: '', search_domains: ['a b'] } },
      "config.dns.search_domains[0]: invalid search domain 'a b'",
    ],
    [
      'a host name that is none',
      { interfaces: [entry], dns: { hostname: 'my host', domain: '' } },
      "config.dns.hostname: invalid hostname 'my host'",
    ],
    [
      'an unknown time zone',
      { interfaces: [entry], time: { timezone: 'Mars/Olympus' } },
      "config.time.timezone: unknown time zone 'Mars/Olympus'",
    ],
    [
      'a time server that is none',
      { interfaces: [entry], time: { ntp_servers: ['a b'] } },
      "config.time.ntp_servers[0]: invalid NTP server 'a b'",
    ],
    [
      'a transmit hash policy that is none',
      { bonds: [{ ...bond, options: { transmit_hash_policy: 'x' } }] },
      "config.bonds[0].options.transmit_hash_policy: bond 0 invalid transmit hash policy 'x'",
    ],
    [
      'ARP monitoring of nothing',
      { bonds: [{ ...bond, mode: 'active-backup', options: { arp_interval: 100 } }] },
      'config.bonds[0].options.arp_ip_targets: bond 0 ARP monitoring needs at least one target',
    ],
  ];

  it.each(cases)('%s', (_what, draft, problem) => {
    expect(problems(draft)).toContain(problem);
  });

  it('ten thousand vlans', () => {
    const vlans = Array.from({ length: 10_000 }, (_, index) => ({ ...vlan, name: `v${index}` }));
    expect(problems({ interfaces: [entry], vlans })).toEqual([
      "config: network configuration has 10001 devices, more than 4096 can't be configured",
    ]);
  });
});

describe('a refusal', () => {
  it('carries the first text as its message and every field', () => {
    const draft = changed({ mtu: -1, required_for_online: 'x' });
    expect(() => refuse(validateConfig(config(draft), 'loose'))).toThrow(
      expect.objectContaining({
        reason: 'INVALID_REQUEST',
        message: 'interface 0 MTU out of range',
        fields: [
          { field: 'config.interfaces[0].mtu', reason: 'interface 0 MTU out of range' },
          {
            field: 'config.interfaces[0].required_for_online',
            reason: "interface 0 invalid RequiredForOnline value 'x'",
          },
        ],
      }) as Error,
    );
  });
});

describe('names and MACs', () => {
  const cards = [
    { name: '_p10666a000001', otherNames: ['enp5s0'], mac: mac(1), maxMtu: 1500 },
    { name: 'enp6s0', otherNames: [], mac: mac(2), maxMtu: 1500 },
  ];

  it('are resolved through the cards and the names they had', () => {
    const resolved = resolveNames(
      config({
        interfaces: [{ name: 'a', hwaddr: 'enp5s0' }],
        bonds: [{ name: 'b', mode: 'x', members: ['enp6s0', 'nope'] }],
      }),
      { cards, configured: undefined },
    );
    expect(resolved.interfaces[0]?.hwaddr).toBe(mac(1));
    expect(resolved.bonds[0]?.members).toEqual([mac(2), 'nope']);
  });

  it('mean the configured device where a bridge has taken the name of its card', () => {
    const configured = config({ interfaces: [{ name: 'enp6s0', hwaddr: mac(7) }] });
    expect(
      resolveNames(config({ interfaces: [{ name: 'x', hwaddr: 'enp6s0' }] }), { cards, configured })
        .interfaces[0]?.hwaddr,
    ).toBe(mac(7));
  });

  it('that no card has are found before anything is changed', () => {
    expect([...checkPresence(config({ interfaces: [{ name: 'a', hwaddr: mac(9) }] }), cards)]).toEqual([
      {
        field: 'config.interfaces[0].hwaddr',
        message: `interface 0 no network device has MAC address '${mac(9)}'`,
      },
    ]);
  });

  it('of cards that stay as they are can not be given away', () => {
    const problem = (draft: Draft): string[] =>
      [...checkFreeNames(config(draft), cards)].map(({ field, message }) => `${field}: ${message}`);
    expect(problem({ interfaces: [{ name: 'enp6s0', hwaddr: mac(1) }] })).toEqual([
      "config.interfaces[0].name: interface 0 name 'enp6s0' is that of a network device which isn't part of the configuration",
    ]);
    expect(problem({ interfaces: [{ name: 'enp6s0', hwaddr: mac(2) }] })).toEqual([]);
  });

  it('lose the prefix that udev gives to cards without a place', () => {
    expect(
      normalizeConfig(
        config({ interfaces: [{ name: 'enx10666a000001', hwaddr: mac(1) }], confirmation_timeout: '5s' }),
      ),
    ).toMatchObject({
      interfaces: [{ name: '10666a000001' }],
      confirmation_timeout: undefined,
    });
  });

  it('are given up for names when a backup goes to another machine', () => {
    expect(
      withoutMacs(config({ interfaces: [entry], bonds: [bond, { ...bond, name: 'c', hwaddr: mac(8) }] })),
    ).toMatchObject({
      interfaces: [{ hwaddr: 'a' }],
      bonds: [{ members: bond.members }, { hwaddr: 'c', members: bond.members }],
    });
  });
});
