/** What is refused beyond the contract's rules: what systemd would ignore or misread, or the kernel refuse. */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { validateConfig } from './validate.ts';

type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

const mac = (number: number): string => `10:66:6a:00:00:${number.toString(16).padStart(2, '0')}`;
const entry = { name: 'a', hwaddr: mac(1) };
const other = { name: 'b', hwaddr: mac(2) };
const bond = { name: 'u', mode: 'active-backup', members: [mac(3), mac(4)] };
const problems = (draft: Draft, pass: 'loose' | 'strict' = 'strict'): string[] =>
  [...validateConfig(SystemNetworkConfig.fromPartial(draft), pass)].map(
    ({ field, message }) => `${field}: ${message}`,
  );
const changed = (change: object): Draft => ({ interfaces: [{ ...entry, ...change }] });
const options = (change: object, mode = 'active-backup'): Draft => ({
  bonds: [{ ...bond, mode, options: change }],
});
const dns = (change: object): Draft => ({
  interfaces: [entry],
  dns: { hostname: '', domain: '', ...change },
});
const vlan = { name: 'v', id: 10, parent: 'a' };

describe('one address on two devices', () => {
  it('is refused, in whatever way it is written', () => {
    expect(
      problems({
        interfaces: [
          { ...entry, addresses: ['192.0.2.1/24', '2001:db8::1/64'] },
          { ...other, addresses: ['192.0.2.1/32', '2001:DB8:0:0::1/48'] },
        ],
      }),
    ).toEqual([
      "config.interfaces[1].addresses[0]: interface 1 address 0 '192.0.2.1/32' is already an address of interface 'a'",
      "config.interfaces[1].addresses[1]: interface 1 address 1 '2001:DB8:0:0::1/48' is already an address of interface 'a'",
    ]);
  });

  it('is refused on one device, and between devices of all kinds', () => {
    const addresses = ['192.0.2.1/24'];
    expect(
      problems({
        interfaces: [{ ...entry, addresses: ['192.0.2.1/24', '192.0.2.1/25'] }],
        bonds: [{ ...bond, addresses }],
        vlans: [{ ...vlan, addresses }],
        wireguard: [{ name: 'w', addresses }],
      }),
    ).toEqual([
      "config.interfaces[0].addresses[1]: interface 0 address 1 '192.0.2.1/25' is already an address of interface 'a'",
      "config.bonds[0].addresses[0]: bond 0 address 0 '192.0.2.1/24' is already an address of interface 'a'",
      "config.vlans[0].addresses[0]: vlan 0 address 0 '192.0.2.1/24' is already an address of interface 'a'",
      "config.wireguard[0].addresses[0]: wireguard 0 address 0 '192.0.2.1/24' is already an address of interface 'a'",
    ]);
  });

  it('is how link-local addresses are, and ways to get one', () => {
    const addresses = ['fe80::1/64', 'dhcp4', 'slaac'];
    expect(
      problems({
        interfaces: [
          { ...entry, addresses },
          { ...other, addresses },
        ],
      }),
    ).toEqual([]);
    expect(problems(changed({ addresses: ['fe80::1/64', 'fe80::1/10'] }))).toHaveLength(1);
  });
});

describe('refused, with the field and the text, is', () => {
  it.each<[what: string, draft: Draft, problem: string]>([
    ...[
      '0.0.0.0/24',
      '127.0.0.1/8',
      '224.0.0.1/24',
      '255.255.255.255/32',
      '::/64',
      '::1/128',
      'ff02::1/64',
    ].map((address): [string, Draft, string] => [
      `the address ${address}`,
      changed({ addresses: [address] }),
      `config.interfaces[0].addresses[0]: interface 0 address 0 '${address}' can't be the address of a device`,
    ]),
    ...['192.0.2.1/024', '192.0.2.1/33', '2001:db8::1/129', 'fe80::1%eth0/64', '::/'].map(
      (address): [string, Draft, string] => [
        `the address ${address}`,
        changed({ addresses: [address] }),
        `config.interfaces[0].addresses[0]: interface 0 address 0 invalid IP address '${address}', must provide a CIDR mask`,
      ],
    ),
    [
      'a gateway with a zone',
      changed({ addresses: ['fe80::2/64'], routes: [{ to: '::/0', via: 'fe80::1%a' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' invalid IP address 'fe80::1%a'",
    ],
    [
      'a gateway that is a group',
      changed({ addresses: ['192.0.2.1/24'], routes: [{ to: '0.0.0.0/0', via: '224.0.0.5' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' '224.0.0.5' can't be a gateway",
    ],
    [
      'a gateway that is the device itself',
      changed({ addresses: ['2001:db8::1/64'], routes: [{ to: '::/0', via: '2001:db8:0::1' }] }),
      "config.interfaces[0].routes[0].via: interface 0 route 0 'Via' '2001:db8:0::1' is an address of the device itself",
    ],
    [
      'two vlans of one id on one parent',
      { interfaces: [entry], vlans: [vlan, { ...vlan, name: 'v2' }] },
      "config.vlans[1].id: vlan 1 ID 10 is already used by vlan 'v' on parent 'a'",
    ],
    [
      'a vlan on a tunnel',
      { interfaces: [entry], wireguard: [{ name: 'w' }], vlans: [{ ...vlan, parent: 'w' }] },
      "config.vlans[0].parent: vlan 0 unable to find parent 'w'",
    ],
    [
      'a vlan on itself',
      { interfaces: [entry], vlans: [{ ...vlan, parent: 'v' }] },
      "config.vlans[0].parent: vlan 0 unable to find parent 'v'",
    ],
    [
      'a vlan tag of zero',
      changed({ vlan_tags: [0] }),
      'config.interfaces[0].vlan_tags[0]: interface 0 VLAN tag 0 out of range',
    ],
    [
      'a negative vlan id',
      { interfaces: [entry], vlans: [{ ...vlan, id: -1 }] },
      'config.vlans[0].id: vlan 0 ID -1 out of range',
    ],
    ...['_p10666a0000', '_bu', '_va', '_i10666a0000'].map((name): [string, Draft, string] => [
      `the name ${name}, which could be that of a device below another`,
      changed({ name }),
      'config.interfaces[0].name: interface 0 name cannot begin with an underscore',
    ]),
    ...['!a', 'a"b', "it's", 'a\\', 'a b', 'a*', 'a?b', '[a]', '50%', 'a:b'].map(
      (name): [string, Draft, string] => [
        `the name ${name}`,
        changed({ name }),
        `config.interfaces[0].name: interface 0 name '${name}' has characters that a device name cannot have`,
      ],
    ),
    [
      "a bond whose files are those of another's member",
      { bonds: [bond, { ...bond, name: 'u-dev1', members: [mac(5)] }] },
      "config.bonds[1].name: bond 1 name 'u-dev1' is needed for member 1 of bond 'u'",
    ],
    [
      'a member of two bonds',
      { bonds: [bond, { ...bond, name: 'u2', members: [mac(3)] }] },
      `config.bonds[1].members[0]: duplicate MAC address: ${mac(3)}`,
    ],
    [
      'a member that is there twice',
      { bonds: [{ ...bond, members: [mac(3), mac(3).toUpperCase()] }] },
      `config.bonds[0].members[1]: duplicate MAC address: ${mac(3).toUpperCase()}`,
    ],
    [
      "a bond with the address of another's member",
      { bonds: [bond, { ...bond, name: 'u2', members: [mac(5)], hwaddr: mac(4) }] },
      `config.bonds[1].hwaddr: duplicate MAC address: ${mac(4)}`,
    ],
    ...['01:00:5e:00:00:01', 'FF:FF:FF:FF:FF:FF', '00:00:00:00:00:00'].map(
      (hwaddr): [string, Draft, string] => [
        `the MAC address ${hwaddr}`,
        { bonds: [{ ...bond, hwaddr }] },
        `config.bonds[0].hwaddr: bond 0 MAC address '${hwaddr}' can't be that of a single device`,
      ],
    ),
    ...['arp_interval', 'down_delay', 'mii_monitor_interval', 'up_delay'].map(
      (field): [string, Draft, string] => [
        `a negative ${field}`,
        options({ [field]: -1 }),
        `config.bonds[0].options.${field}: bond 0 option ${field} out of range`,
      ],
    ),
    [
      'an LACP rate',
      options({ lacp_rate: 'medium' }, '802.3ad'),
      "config.bonds[0].options.lacp_rate: bond 0 invalid LACP rate 'medium'",
    ],
    [
      'a hash policy that systemd 257 can not set',
      options({ transmit_hash_policy: 'vlan+srcmac' }, 'balance-xor'),
      "config.bonds[0].options.transmit_hash_policy: bond 0 invalid transmit hash policy 'vlan+srcmac'",
    ],
    ...['2001:db8::1', '0.0.0.0', '255.255.255.255', 'router'].map((target): [string, Draft, string] => [
      `the ARP target ${target}`,
      options({ arp_interval: 100, arp_ip_targets: [target] }),
      `config.bonds[0].options.arp_ip_targets[0]: bond 0 invalid ARP target '${target}', must be an IPv4 address`,
    ]),
    [
      'an ARP target that is there twice',
      options({ arp_interval: 100, arp_ip_targets: ['192.0.2.1', '192.0.2.1'] }),
      "config.bonds[0].options.arp_ip_targets[1]: bond 0 ARP target '192.0.2.1' is listed multiple times",
    ],
    [
      'a list of more ARP targets than the kernel takes',
      options({
        arp_interval: 100,
        arp_ip_targets: Array.from({ length: 17 }, (_, index) => `192.0.2.${index + 1}`),
      }),
      'config.bonds[0].options.arp_ip_targets: bond 0 more than 16 ARP targets',
    ],
    ...['802.3ad', 'balance-tlb', 'balance-alb'].map((mode): [string, Draft, string] => [
      `ARP monitoring in mode ${mode}`,
      options({ arp_interval: 100, arp_ip_targets: ['192.0.2.1'] }, mode),
      `config.bonds[0].options.arp_interval: bond 0 ARP monitoring is not possible in mode '${mode}'`,
    ]),
    [
      'monitoring in two ways',
      options({ arp_interval: 100, arp_ip_targets: ['192.0.2.1'], mii_monitor_interval: 100 }),
      'config.bonds[0].options.arp_interval: bond 0 ARP monitoring and MII monitoring exclude each other',
    ],
    [
      'a delay that nothing looks at',
      options({ arp_interval: 100, arp_ip_targets: ['192.0.2.1'], up_delay: 200 }),
      'config.bonds[0].options.up_delay: bond 0 option up_delay needs MII monitoring',
    ],
    ...['rx_buffer_size', 'rx_mini_buffer_size', 'rx_jumbo_buffer_size', 'tx_buffer_size'].flatMap((field) =>
      ['0', '010', '-1', '1k', '4294967296', 'Max'].map((size): [string, Draft, string] => [
        `a ${field} of ${size}`,
        changed({ ethernet: { [field]: size } }),
        `config.interfaces[0].ethernet.${field}: interface 0 invalid buffer size '${size}', must be a number or 'max'`,
      ]),
    ),
    [
      'a wake-on-lan mode of a bond',
      { bonds: [{ ...bond, ethernet: { wakeonlan_modes: ['magic', 'Magic'] } }] },
      "config.bonds[0].ethernet.wakeonlan_modes[1]: bond 0 unsupported wake-on-lan mode 'Magic'",
    ],
    ...[
      ...['1.1.1.1:0', '1.1.1.1:053', '1.1.1.1:65536', '[::1]', '[1.1.1.1]:53', 'fe80::1%eth0', '1.1.1.1#'],
      ...['1.1.1.1#a#b', 'dns.example', ''],
    ].map((server): [string, Draft, string] => [
      `the name server '${server}'`,
      dns({ nameservers: [server] }),
      `config.dns.nameservers[0]: invalid name server '${server}', must be an IP address`,
    ]),
    ...['localhost', 'a.localhost', 'LocalHost.LocalDomain', '~localhost', 'a..b', '~', '', '-a.example'].map(
      (name): [string, Draft, string] => [
        `the search domain '${name}'`,
        dns({ search_domains: [name] }),
        `config.dns.search_domains[0]: invalid search domain '${name}'`,
      ],
    ),
    ['a domain', dns({ domain: 'a b' }), "config.dns.domain: invalid domain 'a b'"],
    ...['-a', 'a_b', 'a.', 'x'.repeat(65)].map((hostname): [string, Draft, string] => [
      `the host name ${hostname}`,
      dns({ hostname }),
      `config.dns.hostname: invalid hostname '${hostname}'`,
    ]),
    ...['fe80::1%eth0', 'a..b', `${'x'.repeat(64)}.example`, '192.0.2.1:123', ''].map(
      (server): [string, Draft, string] => [
        `the time server '${server}'`,
        { interfaces: [entry], time: { ntp_servers: [server] } },
        `config.time.ntp_servers[0]: invalid NTP server '${server}'`,
      ],
    ),
    ...['Europe/BERLIN', 'europe/berlin', 'berlin', '+02:00', '../UTC', 'Europe/Berlin '].map(
      (timezone): [string, Draft, string] => [
        `the time zone '${timezone}'`,
        { interfaces: [entry], time: { timezone } },
        `config.time.timezone: unknown time zone '${timezone}'`,
      ],
    ),
  ])('%s', (_what, draft, problem) => {
    expect(problems(draft)).toEqual([problem]);
  });

  it('a card that two devices call by its name, once it is known by its MAC', () => {
    const draft = (member: string): Draft => ({
      interfaces: [entry],
      bonds: [{ ...bond, members: [member] }],
    });
    expect(problems(draft('enp5s0'), 'loose')).toEqual([]);
    expect(problems(draft(mac(1)))).toEqual([`config.bonds[0].members[0]: duplicate MAC address: ${mac(1)}`]);
  });
});

describe('taken is', () => {
  it.each<[what: string, draft: Draft]>([
    [
      'the same vlan id on two parents',
      { interfaces: [entry, other], vlans: [vlan, { ...vlan, name: 'w', parent: 'b' }] },
    ],
    ['a bond with the address of its member', { bonds: [{ ...bond, hwaddr: mac(4).toUpperCase() }] }],
    [
      'a bond named like a member that is not there',
      { bonds: [bond, { ...bond, name: 'u-dev2', members: [mac(5)] }] },
    ],
    [
      'a name server with a port and a name',
      dns({ nameservers: ['1.1.1.1:853#dns.example', '[2001:db8::1]:53'] }),
    ],
    [
      'a search domain that only routes',
      dns({ search_domains: ['~example.org', '~.', '.', 'xn--bcher-kva.example.'] }),
    ],
    ['an older name of a time zone', { interfaces: [entry], time: { timezone: 'US/Pacific' } }],
    [
      'a route through another network',
      changed({ addresses: ['192.0.2.1/24'], routes: [{ to: '0.0.0.0/0', via: '198.51.100.1' }] }),
    ],
    [
      'an IPv4 route over IPv6',
      changed({ addresses: ['slaac'], routes: [{ to: '0.0.0.0/0', via: 'fe80::1' }] }),
    ],
    ['a name as long as can be', changed({ name: 'abcdefghijklm' })],
  ])('%s', (_what, draft) => {
    expect(problems(draft)).toEqual([]);
  });
});

it('a configuration of ten thousand vlans on different ids is refused at once, with one reason', () => {
  const vlans = Array.from({ length: 10_000 }, (_, index) => ({
    ...vlan,
    name: `v${index}`,
    id: index % 4095,
  }));
  expect(problems({ interfaces: [entry], vlans })).toEqual([
    "config: network configuration has 10001 devices, more than 4096 can't be configured",
  ]);
});
