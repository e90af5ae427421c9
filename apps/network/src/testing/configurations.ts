/**
 * Draws configurations for property tests: whatever validation accepts, near-misses and rarities included. What a field
 * may hold is not known here: every value is drawn from more than is valid, and validation decides.
 */
import { SystemNetworkConfig, type SystemNetworkRoute } from '@incusos/contracts/network';
import fc from 'fast-check';
import { validateConfig } from '../config/validate.ts';

export type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

export function cardMac(number: number): string {
  return `10:66:6a:00:${(number >> 8).toString(16).padStart(2, '0')}:${(number & 255).toString(16).padStart(2, '0')}`;
}

const isValid = (draft: Draft): boolean =>
  validateConfig(SystemNetworkConfig.fromPartial(draft), 'strict').next().done === true;

const entry = { name: 'a', hwaddr: cardMac(1) };
const bond = { name: 'a', mode: 'active-backup', members: [cardMac(1)] };

/** Values of one field that validation takes, in the smallest configuration with that field. */
function accepted<T>(values: fc.Arbitrary<T>, put: (value: T) => Draft): fc.Arbitrary<T> {
  return values.filter((value) => isValid(put(value)));
}

const inInterface =
  (field: string) =>
  (value: unknown): Draft => ({ interfaces: [{ ...entry, [field]: value }] });
const inDns =
  (field: string) =>
  (value: unknown): Draft => ({ interfaces: [entry], dns: { domain: '', hostname: '', [field]: value } });

const usual = fc.constantFrom(...'abcxyzABC0189.-_'.split(''));
/** What is rare in a name, and what means something in systemd's files. */
const rare = fc.constantFrom(...'/:%#[]~*!@+=,;$"\'\\ \t\n^&(){}|<>?`é'.split(''));
const word = (longest: number): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.array(usual, { maxLength: longest / 2 }),
      fc.array(rare, { maxLength: 1 }),
      fc.array(usual, { maxLength: longest / 2 }),
    )
    .map((parts) => parts.flat().join(''));

const name = accepted(
  fc.oneof(
    { weight: 2, arbitrary: fc.constantFrom('mgmt', 'enp5s0', 'lan.20', 'a+b@c', 'uplink-dev0') },
    word(14),
  ),
  inInterface('name'),
);

const prefix = fc.oneof(
  fc.integer({ min: 0, max: 130 }).map(String),
  fc.constantFrom('24', '64', '08', '032', '', '-1'),
);
const ip4 = fc.oneof(
  fc.ipV4(),
  fc.ipV4Extended(),
  fc.constantFrom('0.0.0.0', '127.0.0.1', '224.0.0.1', '255.255.255.255', '010.0.0.1', '1.2.3'),
);
const ip6 = fc.oneof(
  fc.ipV6(),
  fc.constantFrom(
    '::',
    '::1',
    'fe80::1',
    'ff02::1',
    '::ffff:192.0.2.1',
    'fe80::1%eth0',
    '2001:DB8::A',
    '1::2::3',
  ),
);
const ip = fc.oneof(ip4, ip6);
const subnet = fc.tuple(ip, prefix).map(([text, length]) => `${text}/${length}`);
const address = accepted(
  fc.oneof(fc.constantFrom('dhcp4', 'dhcp6', 'slaac', 'dhcp', ''), subnet, ip),
  (value) => inInterface('addresses')([value]),
);
const addresses = accepted(fc.uniqueArray(address, { maxLength: 5 }), inInterface('addresses'));

type RouteDraft = Partial<SystemNetworkRoute> & Pick<SystemNetworkRoute, 'to' | 'via'>;

const route: fc.Arbitrary<RouteDraft> = fc.record(
  { to: subnet, via: fc.oneof(fc.constantFrom('dhcp4', 'dhcp6', 'slaac', ''), ip), onlink: fc.boolean() },
  { requiredKeys: ['to', 'via'] },
);

const roles = fc.subarray(['management', 'cluster', 'instances', 'storage']);
const required = fc.constantFrom('', 'ipv4', 'ipv6', 'both', 'any', 'no');
const mtu = accepted(
  fc.oneof(fc.integer({ min: 0, max: 9000 }), fc.constantFrom(0, 1, 67, 68, 1279, 1280, 1500, 9000)),
  inInterface('mtu'),
);
const tags = fc.uniqueArray(fc.integer({ min: 1, max: 4094 }), { maxLength: 5 });
const bridge = fc.record(
  { disable_multicast_snooping: fc.boolean(), stp: fc.boolean() },
  { requiredKeys: [] },
);
const buffer = fc.oneof(
  fc.constantFrom('', 'max', '1', '512', '0', '010', '4294967295', '4294967296', ' 1', '1k'),
  fc.integer({ min: 1, max: 10_000 }).map(String),
);
const group = fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, '0'));
const anyMac = fc
  .oneof(
    fc.array(group, { minLength: 6, maxLength: 6 }).map((groups) => groups.join(':')),
    fc.constantFrom('00:00:00:00:00:00', 'ff:ff:ff:ff:ff:ff', '02-00-00-00-00-01', '0200.0000.0001'),
  )
  .chain((text) => fc.constantFrom(text, text.toUpperCase()));
const ethernet = accepted(
  fc.record(
    {
      disable_energy_efficient: fc.boolean(),
      disable_gro: fc.boolean(),
      disable_gso: fc.boolean(),
      disable_ipv4_tso: fc.boolean(),
      disable_ipv6_tso: fc.boolean(),
      rx_buffer_size: buffer,
      rx_jumbo_buffer_size: buffer,
      rx_mini_buffer_size: buffer,
      tx_buffer_size: buffer,
      wakeonlan: fc.boolean(),
      wakeonlan_modes: fc.subarray([
        ...['phy', 'unicast', 'multicast', 'broadcast', 'arp', 'magic', 'secureon', 'off'],
      ]),
      wakeonlan_password: anyMac,
    },
    { requiredKeys: [] },
  ),
  inInterface('ethernet'),
);
const milliseconds = fc.oneof(fc.constantFrom(0, 1, 50, 100), fc.integer({ min: 0, max: 100_000 }));
const options = fc.record(
  {
    arp_interval: milliseconds,
    arp_ip_targets: fc.array(ip4, { maxLength: 3 }),
    down_delay: milliseconds,
    lacp_rate: fc.constantFrom('', 'slow', 'fast'),
    mii_monitor_interval: milliseconds,
    transmit_hash_policy: fc.constantFrom(
      ...['', 'layer2', 'layer3+4', 'layer2+3', 'encap2+3', 'encap3+4', 'vlan+srcmac'],
    ),
    up_delay: milliseconds,
  },
  { requiredKeys: [] },
);
const modes = [
  'balance-rr',
  'active-backup',
  'balance-xor',
  'broadcast',
  '802.3ad',
  'balance-tlb',
  'balance-alb',
];
const modeAndOptions = accepted(
  fc.record({ mode: fc.constantFrom(...modes), options: fc.option(options, { nil: undefined }) }),
  (value) => ({ bonds: [{ ...bond, ...value }] }),
);

const domain = fc.oneof(
  fc.domain(),
  word(12),
  fc.constantFrom('.', '~.', '~x.example', 'localhost', 'a.localhost.'),
);
const server = fc.oneof(
  ip,
  fc
    .tuple(
      ip,
      fc.constantFrom(
        ':53',
        ':0',
        ':053',
        ':65536',
        '#dns.example',
        ':853#dns.example',
        '%eth0',
        '#',
        '#a b',
      ),
    )
    .map(([text, rest]) =>
      text.includes(':') && rest.startsWith(':') ? `[${text}]${rest}` : `${text}${rest}`,
    ),
);
const list = <T>(values: fc.Arbitrary<T>): fc.Arbitrary<T[]> => fc.array(values, { maxLength: 3 });
const dns = fc.record(
  {
    domain: accepted(fc.oneof(fc.constant(''), domain), inDns('domain')),
    hostname: accepted(fc.oneof(fc.constant(''), fc.domain(), word(12)), inDns('hostname')),
    nameservers: list(accepted(server, (value) => inDns('nameservers')([value]))),
    search_domains: list(accepted(domain, (value) => inDns('search_domains')([value]))),
    dns_over_tls: fc.boolean(),
  },
  { requiredKeys: ['domain', 'hostname'] },
);
const time = fc.record(
  {
    ntp_servers: list(
      accepted(fc.oneof(ip, domain), (value) => ({ interfaces: [entry], time: { ntp_servers: [value] } })),
    ),
    timezone: fc.constantFrom('', 'UTC', 'Europe/Berlin', 'America/Argentina/Ushuaia'),
  },
  { requiredKeys: [] },
);

/** What every kind of device can have beside its name; routes are those that its addresses allow. */
const common = { addresses, mtu, required_for_online: required, roles };
function withRoutes<D extends { addresses?: string[] }>(
  devices: fc.Arbitrary<D>,
): fc.Arbitrary<D & { routes: RouteDraft[] }> {
  return devices.chain((device) =>
    list(
      accepted(route, (value) => ({
        interfaces: [{ ...entry, addresses: device.addresses ?? [], routes: [value] }],
      })),
    ).map((routes) => ({ ...device, routes })),
  );
}

const optional = { requiredKeys: [] };
const interfaces = withRoutes(
  fc.record({ ...common, bridge, ethernet, lldp: fc.boolean(), vlan_tags: tags }, optional),
);
const bonds = fc
  .tuple(
    withRoutes(fc.record({ ...common, bridge, ethernet, lldp: fc.boolean(), vlan_tags: tags }, optional)),
    modeAndOptions,
    fc.integer({ min: 1, max: 3 }),
    fc.option(anyMac, { nil: undefined }),
  )
  .map(([device, mode, members, hwaddr]) => ({ device: { ...device, ...mode }, members, hwaddr }));
const vlans = withRoutes(fc.record(common, optional));
const vlanIds = fc.uniqueArray(fc.integer({ min: 0, max: 4094 }), { minLength: 6, maxLength: 6 });

const key = fc.oneof(
  { weight: 9, arbitrary: fc.uint8Array({ minLength: 32, maxLength: 32 }) },
  { weight: 1, arbitrary: fc.uint8Array({ minLength: 31, maxLength: 33 }) },
);
const base64 = key.map((bytes) => Buffer.from(bytes).toString('base64'));
const inTunnel =
  (field: string) =>
  (value: unknown): Draft => ({ wireguard: [{ name: 'a', [field]: value }] });
const endpoint = fc
  .tuple(
    fc.oneof(
      ip4,
      ip6.map((text) => `[${text}]`),
      ip6,
      fc.domain(),
      word(12),
    ),
    fc.integer({ min: 0, max: 65_536 }),
  )
  .map(([host, port]) => `${host}:${port}`);
const inPeer =
  (field: string) =>
  (value: unknown): Draft => ({
    wireguard: [{ name: 'a', peers: [{ public_key: usedKey, [field]: value }] }],
  });
const usedKey = Buffer.alloc(32, 1).toString('base64');
const peer = fc.record(
  {
    public_key: accepted(base64, inPeer('public_key')),
    allowed_ips: list(accepted(fc.oneof(subnet, ip), (value) => inPeer('allowed_ips')([value]))),
    endpoint: accepted(fc.oneof(fc.constant(''), endpoint), inPeer('endpoint')),
    persistent_keepalive: fc.constantFrom(0, 1, 25, 65_535),
    preshared_key: accepted(fc.oneof(fc.constant(''), base64), inPeer('preshared_key')),
  },
  { requiredKeys: ['public_key', 'allowed_ips'] },
);
const inner = accepted(fc.uniqueArray(subnet, { maxLength: 3 }), inTunnel('addresses'));
const tunnels = withRoutes(
  fc.record(
    {
      ...{ addresses: inner, mtu, required_for_online: required, roles },
      peers: accepted(list(peer), inTunnel('peers')),
      port: fc.constantFrom(0, 1, 51_820, 65_535),
      private_key: accepted(base64, inTunnel('private_key')),
    },
    { requiredKeys: ['private_key'] },
  ),
);

/**
 * Any configuration that is valid, of up to three interfaces, two bonds, six vlans and two tunnels; cards by
 * {@link cardMac}.
 */
export const configurations: fc.Arbitrary<SystemNetworkConfig> = fc
  .record({
    names: fc.uniqueArray(name, { minLength: 13, maxLength: 13 }),
    interfaces: fc.array(interfaces, { maxLength: 3 }),
    bonds: fc.array(bonds, { maxLength: 2 }),
    vlans: fc.array(fc.tuple(vlans, fc.nat()), { maxLength: 6 }),
    ids: vlanIds,
    tunnels: fc.array(tunnels, { maxLength: 2 }),
    dns: fc.option(dns, { nil: undefined }),
    time: fc.option(time, { nil: undefined }),
  })
  .map((drawn) => {
    const names = drawn.names.values();
    const next = (): string => names.next().value ?? '';
    let cards = 0;
    const card = (): string => cardMac((cards += 1));
    const ownInterfaces = drawn.interfaces.map((device) => ({ ...device, name: next(), hwaddr: card() }));
    const ownBonds = drawn.bonds.map(({ device, members: count, hwaddr }) => ({
      ...device,
      name: next(),
      members: Array.from({ length: count }, card),
      ...(hwaddr === undefined ? {} : { hwaddr }),
    }));
    const parents = [...ownInterfaces, ...ownBonds].map((device) => device.name);
    return SystemNetworkConfig.fromPartial({
      interfaces: ownInterfaces,
      bonds: ownBonds,
      vlans:
        parents.length === 0
          ? []
          : drawn.vlans.map(([device, parent], index) => ({
              ...device,
              name: next(),
              id: drawn.ids[index] ?? 0,
              parent: parents[parent % parents.length] ?? '',
            })),
      wireguard: drawn.tunnels.map((tunnel) => ({ ...tunnel, name: next() })),
      ...(drawn.dns === undefined ? {} : { dns: drawn.dns }),
      ...(drawn.time === undefined ? {} : { time: drawn.time }),
    });
  })
  .filter((config) => config.interfaces.length + config.bonds.length > 0 && isValid(config));
