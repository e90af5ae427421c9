import { SystemNetworkConfig } from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { configurations } from '../testing/configurations.ts';
import { validateConfig } from './validate.ts';
import { configWarnings } from './warnings.ts';

type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

const mac = (number: number): string => `10:66:6a:00:00:${number.toString(16).padStart(2, '0')}`;
const entry = { name: 'a', hwaddr: mac(1), addresses: ['dhcp4', 'slaac'] };
const other = { name: 'b', hwaddr: mac(2), addresses: ['dhcp4'] };
const bond = { name: 'u', mode: 'active-backup', members: [mac(3), mac(4)] };
const limits = new Map([[mac(1), 1500]]);

/** The warnings about a configuration that must be valid. */
function warnings(draft: Draft): string[] {
  const config = SystemNetworkConfig.fromPartial(draft);
  expect([...validateConfig(config, 'strict')]).toEqual([]);
  return [...configWarnings(config, limits)].map(({ field, message }) => `${field}: ${message}`);
}
const changed = (change: object): Draft => ({ interfaces: [{ ...entry, ...change }] });
/** With a second device, so that nothing is said of what the machine as a whole lacks. */
const second = (change: object): Draft => ({ interfaces: [entry, { ...other, ...change }] });
const options = (change: object, mode = 'active-backup'): Draft => ({
  interfaces: [entry],
  bonds: [{ ...bond, mode, options: change }],
});

it('nothing is said of a configuration that is as it should be', () => {
  expect(
    warnings({
      interfaces: [
        { ...entry, mtu: 1500, required_for_online: 'both', routes: [{ to: '0.0.0.0/0', via: 'dhcp4' }] },
        {
          ...{ name: 'b', hwaddr: mac(2), addresses: ['192.0.2.10/24', '2001:db8::10/64', 'fe80::5/64'] },
          routes: [
            { to: '198.51.100.0/24', via: '192.0.2.1' },
            { to: '203.0.113.0/24', via: '198.18.0.1', onlink: true },
            { to: '2001:db8:9::/48', via: 'fe80::1' },
          ],
          ethernet: { wakeonlan: true, wakeonlan_modes: ['secureon'], wakeonlan_password: mac(9) },
        },
      ],
      bonds: [{ ...bond, mode: '802.3ad', mtu: 9000, options: { lacp_rate: 'slow', up_delay: 200 } }],
      vlans: [{ name: 'v', id: 5, parent: 'u', mtu: 9000, addresses: ['10.0.0.1/31'] }],
    }),
  ).toEqual([]);
});

describe('a warning tells the field and what will come of', () => {
  it.each<[what: string, draft: Draft, warning: string]>([
    [
      'one network on two devices',
      {
        interfaces: [
          { ...entry, addresses: ['dhcp4', '10.1.2.3/16'] },
          { ...other, addresses: ['10.1.0.1/24'] },
        ],
      },
      "config.interfaces[1].addresses[0]: interface 1 address 0 '10.1.0.1/24' overlaps with '10.1.2.3/16' of interface 'a'",
    ],
    [
      'a method that is there twice',
      second({ addresses: ['dhcp4', 'dhcp4'] }),
      "config.interfaces[1].addresses[1]: interface 1 address 1 'dhcp4' is listed multiple times",
    ],
    ...['192.0.2.0/24', '192.0.2.255/24'].map((address): [string, Draft, string] => [
      `the address ${address}`,
      second({ addresses: [address] }),
      `config.interfaces[1].addresses[0]: interface 1 address 0 '${address}' is the network's own or its broadcast address`,
    ]),
    [
      'a gateway in no network of the device',
      second({ addresses: ['192.0.2.1/24'], routes: [{ to: '10.0.0.0/8', via: '198.51.100.1' }] }),
      "config.interfaces[1].routes[0].via: interface 1 route 0 'Via' '198.51.100.1' is in none of the device's networks and can't be reached",
    ],
    [
      'a gateway of a family that the device has no address of',
      second({ addresses: ['dhcp4'], routes: [{ to: '2001:db8::/32', via: '2001:db8:1::1' }] }),
      "config.interfaces[1].routes[0].via: interface 1 route 0 'Via' '2001:db8:1::1' is in none of the device's networks and can't be reached",
    ],
    [
      'a route that is there twice',
      second({
        addresses: ['192.0.2.1/24'],
        routes: [
          { to: '10.0.0.0/8', via: '192.0.2.2' },
          { to: '10.9.9.9/8', via: '192.0.2.3' },
        ],
      }),
      "config.interfaces[1].routes[1].to: interface 1 route 1 'To' '10.9.9.9/8' is listed multiple times",
    ],
    [
      'waiting for what never comes',
      second({ addresses: ['192.0.2.1/24', 'fe80::1/64'], required_for_online: 'both' }),
      "config.interfaces[1].required_for_online: interface 1 'both' waits for an IPv6 address that nothing brings",
    ],
    [
      'waiting for an IPv4 address by router advertisements',
      second({ addresses: ['slaac'], required_for_online: 'ipv4' }),
      "config.interfaces[1].required_for_online: interface 1 'ipv4' waits for an IPv4 address that nothing brings",
    ],
    [
      'waiting without addresses',
      second({ addresses: [], required_for_online: 'any' }),
      "config.interfaces[1].required_for_online: interface 1 'any' has no effect without addresses",
    ],
    [
      'a role without an address',
      second({ addresses: [], roles: ['management'] }),
      'config.interfaces[1].roles: interface 1 the device has no address for its roles',
    ],
    [
      'an MTU above what the card takes',
      changed({ mtu: 9000 }),
      'config.interfaces[0].mtu: interface 0 MTU 9000 becomes 1500, which is all that its hardware takes',
    ],
    [
      "a vlan's MTU above that of the device below it",
      { interfaces: [entry], vlans: [{ name: 'v', id: 5, parent: 'a', mtu: 9000 }] },
      "config.vlans[0].mtu: vlan 0 MTU 9000 becomes 1500, which is that of 'a' below it",
    ],
    [
      'an MTU below what IPv6 needs',
      changed({ mtu: 1279 }),
      'config.interfaces[0].mtu: interface 0 MTU 1279 becomes 1280, which IPv6 needs',
    ],
    [
      'wake-on-lan modes without wake-on-lan',
      changed({ ethernet: { wakeonlan_modes: ['magic'] } }),
      'config.interfaces[0].ethernet.wakeonlan_modes: interface 0 the modes have no effect without wakeonlan',
    ],
    [
      'a password that nothing asks for',
      changed({ ethernet: { wakeonlan: true, wakeonlan_password: mac(9) } }),
      "config.interfaces[0].ethernet.wakeonlan_password: interface 0 the password has no effect without the mode 'secureon'",
    ],
    [
      'a mode without its password',
      changed({ ethernet: { wakeonlan: true, wakeonlan_modes: ['secureon'] } }),
      "config.interfaces[0].ethernet.wakeonlan_modes: interface 0 the mode 'secureon' has no effect without a password",
    ],
    [
      'off beside other modes',
      {
        interfaces: [entry],
        bonds: [{ ...bond, ethernet: { wakeonlan: true, wakeonlan_modes: ['off', 'magic'] } }],
      },
      "config.bonds[0].ethernet.wakeonlan_modes: bond 0 the mode 'off' has no effect beside others",
    ],
    [
      'a bond of one member',
      { interfaces: [entry], bonds: [{ ...bond, members: [mac(3)] }] },
      'config.bonds[0].members: bond 0 one member alone has nothing to fail over to',
    ],
    [
      'an LACP rate where nobody speaks it',
      options({ lacp_rate: 'fast' }),
      "config.bonds[0].options.lacp_rate: bond 0 option lacp_rate has no effect in mode 'active-backup'",
    ],
    [
      'a hash policy where nothing is hashed',
      options({ transmit_hash_policy: 'layer2' }, 'balance-rr'),
      "config.bonds[0].options.transmit_hash_policy: bond 0 option transmit_hash_policy has no effect in mode 'balance-rr'",
    ],
    [
      'targets that nobody asks',
      options({ arp_ip_targets: ['192.0.2.1'] }),
      'config.bonds[0].options.arp_ip_targets: bond 0 option arp_ip_targets has no effect without arp_interval',
    ],
    [
      'a delay between two looks',
      options({ mii_monitor_interval: 150, down_delay: 400 }),
      'config.bonds[0].options.down_delay: bond 0 option down_delay becomes 300, for links are looked at every 150 milliseconds',
    ],
    [
      'a vlan that is none',
      { interfaces: [entry], vlans: [{ name: 'v', id: 0, parent: 'a' }] },
      "config.vlans[0].id: vlan 0 ID 0 marks a frame's priority and belongs to no VLAN",
    ],
    [
      'a firewall that is closed to the API',
      changed({
        firewall_rules: [
          { action: 'accept', protocol: 'tcp', port: 22 },
          { action: 'drop', source: '192.0.2.0/24' },
          { action: 'reject' },
          { action: 'accept', protocol: 'tcp', port: 8443 },
        ],
      }),
      'config.interfaces[0].firewall_rules: interface 0 no rule lets in connections to the API (TCP port 8443)',
    ],
    [
      'no address at all',
      changed({ addresses: [] }),
      'config: no device has an address: the machine can only be reached at its console',
    ],
    [
      'nothing to resolve names with',
      changed({ addresses: ['192.0.2.1/24'], routes: [{ to: '0.0.0.0/0', via: '192.0.2.2' }] }),
      'config.dns.nameservers: no name server is configured, and no device asks for one',
    ],
    [
      'no way out',
      {
        ...changed({ addresses: ['192.0.2.1/24'] }),
        dns: { hostname: '', domain: '', nameservers: ['192.0.2.2'] },
      },
      'config: no device has a default route, and none asks for one',
    ],
  ])('%s', (_what, draft, warning) => {
    expect(warnings(draft)).toEqual([warning]);
  });
});

it.each([
  [
    'an open port',
    [{ action: 'accept', protocol: 'tcp', port: 8443, source: '192.0.2.9' }, { action: 'drop' }],
  ],
  ['an open source', [{ action: 'accept', source: '192.0.2.0/24' }, { action: 'drop' }]],
  ['no last rule', [{ action: 'drop', protocol: 'udp', port: 8443 }]],
])('nothing is said of a firewall with %s', (_what, rules) => {
  expect(warnings(changed({ firewall_rules: rules }))).toEqual([]);
});

it('a firewall may be closed on a device that is not for management', () => {
  const firewall_rules = [{ action: 'drop' }];
  expect(
    warnings({
      interfaces: [
        { ...entry, roles: ['management'] },
        { ...other, firewall_rules },
      ],
    }),
  ).toEqual([]);
});

it('overlapping networks are found however they lie in each other', () => {
  expect(
    warnings({
      interfaces: [
        entry,
        { ...other, addresses: ['10.1.2.1/24', '10.3.0.1/16', '10.4.0.1/32'] },
        { name: 'c', hwaddr: mac(5), addresses: ['10.0.0.1/8', '10.1.2.9/32', '192.0.2.1/24'] },
      ],
    }),
  ).toEqual([
    "config.interfaces[1].addresses[0]: interface 1 address 0 '10.1.2.1/24' overlaps with '10.0.0.1/8' of interface 'c'",
    "config.interfaces[1].addresses[1]: interface 1 address 1 '10.3.0.1/16' overlaps with '10.0.0.1/8' of interface 'c'",
  ]);
});

it('any valid configuration gets its warnings, with fields that it has', () => {
  fc.assert(
    fc.property(configurations, (config) => {
      for (const { field, message } of configWarnings(config)) {
        expect(message).not.toMatch(/undefined|NaN|Infinity/u);
        const parts = field.replaceAll(/\[(\d+)\]/gu, '.$1').split('.');
        expect(parts.shift()).toBe('config');
        let place: unknown = config;
        for (const part of parts.slice(0, -1))
          place = (place as Record<string, unknown> | undefined)?.[part] ?? (part === 'dns' ? {} : undefined);
        expect(place, field).toBeDefined();
      }
    }),
    { numRuns: 60 },
  );
});
