/** What is true of the files of any valid configuration. */
import type {
  SystemNetworkBond,
  SystemNetworkConfig,
  SystemNetworkEthernet,
  SystemNetworkInterface,
  SystemNetworkWireguard,
} from '@incusos/contracts/network';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Device } from '../config/device.ts';
import { networkText } from '../config/ip.ts';
import { cardMac, configurations } from '../testing/configurations.ts';
import {
  readBack,
  type ReadAddresses,
  type ReadBridge,
  type ReadCard,
  type ReadTunnel,
} from '../testing/read-back.ts';
import { renderFiles } from './render.ts';

/** Large configurations: fewer of them say as much. */
const runs = { numRuns: 60 };

/** Every third card takes no more than 1500. */
const largest = (mac: string): number => (Number.parseInt(mac.slice(-2), 16) % 3 === 0 ? 1500 : 9000);
const limits = new Map(
  Array.from({ length: 12 }, (_, number) => [cardMac(number), largest(cardMac(number))] as const),
);
const smallestOf = (macs: readonly string[]): number => Math.min(...macs.map(largest));
const compact = (mac: string): string => mac.toLowerCase().replaceAll(':', '');

/** What a device with addresses must say. */
function wantedAddresses(
  { addresses, routes, required_for_online: required = '', mtu = 0 }: Device,
  limit: number,
  vlans: readonly string[],
  { dns, time }: SystemNetworkConfig,
): ReadAddresses {
  const has = (method: string): boolean => addresses.includes(method);
  const fixed = addresses.filter((address) => !['dhcp4', 'dhcp6', 'slaac'].includes(address));
  const dhcp = has('dhcp4') ? (has('dhcp6') ? 'yes' : 'ipv4') : has('dhcp6') ? 'ipv6' : 'no';
  return {
    methods: { dhcp, ra: has('slaac') || has('dhcp6') },
    addresses: fixed,
    routes: routes.map(({ to, via, onlink = false }) => {
      const method = { dhcp4: '_dhcp4', slaac: '_ipv6ra' }[via];
      return { to, via: method ?? via, onlink: onlink || (method === undefined && fixed.length === 0) };
    }),
    mtu: Math.min(mtu === 0 ? 1500 : mtu, limit),
    required: addresses.length === 0 ? 'no' : required === '' ? 'any' : required,
    vlans,
    dns: {
      servers: dns?.nameservers ?? [],
      domains: dns?.search_domains ?? [],
      tls: dns?.dns_over_tls ?? false,
    },
    ntp: time?.ntp_servers ?? [],
  };
}

function wantedLink(mac: string, ethernet: SystemNetworkEthernet | undefined): Record<string, string[]> {
  const lines: [string, string | undefined][] = [['MTUBytes', String(largest(mac))]];
  const off = (flag: boolean | undefined): string | undefined => (flag === true ? 'false' : undefined);
  const text = (value: string | undefined): string | undefined => (value === '' ? undefined : value);
  if (ethernet !== undefined) {
    const { wakeonlan = false, wakeonlan_modes: modes, wakeonlan_password: password } = ethernet;
    lines.push(
      ['GenericReceiveOffload', off(ethernet.disable_gro)],
      ['GenericReceiveOffloadHardware', off(ethernet.disable_gro)],
      ['GenericSegmentationOffload', off(ethernet.disable_gso)],
      ['TCPSegmentationOffload', off(ethernet.disable_ipv4_tso)],
      ['TCP6SegmentationOffload', off(ethernet.disable_ipv6_tso)],
      ['RxBufferSize', text(ethernet.rx_buffer_size)],
      ['RxMiniBufferSize', text(ethernet.rx_mini_buffer_size)],
      ['RxJumboBufferSize', text(ethernet.rx_jumbo_buffer_size)],
      ['TxBufferSize', text(ethernet.tx_buffer_size)],
    );
    if (wakeonlan) {
      for (const mode of modes.length === 0 ? ['magic'] : modes) lines.push(['WakeOnLan', mode]);
      if (modes.includes('secureon')) lines.push(['WakeOnLanPassword', text(password)]);
    }
  }
  const wanted: Record<string, string[]> = {};
  for (const [key, value] of lines) if (value !== undefined) (wanted[key] ??= []).push(value);
  return wanted;
}

function wantedCards(
  macs: readonly string[],
  { ethernet, lldp = false }: SystemNetworkInterface | SystemNetworkBond,
  randomMac: boolean,
): ReadCard[] {
  return macs.map((mac) => ({
    mac,
    randomMac,
    lldp: [String(lldp), String(lldp)],
    link: wantedLink(mac, ethernet),
  }));
}

function wantedBond({ mode, options }: SystemNetworkBond): Record<string, string> {
  const ms = (value = 0): string | undefined => (value === 0 ? undefined : `${value}ms`);
  const text = (value = ''): string | undefined => (value === '' ? undefined : value);
  const arp = ms(options?.arp_interval);
  const lacp = mode === '802.3ad';
  const wanted = {
    Mode: mode,
    TransmitHashPolicy: text(options?.transmit_hash_policy) ?? (lacp ? 'layer3+4' : undefined),
    LACPTransmitRate: text(options?.lacp_rate) ?? (lacp ? 'fast' : undefined),
    MIIMonitorSec: ms(options?.mii_monitor_interval) ?? (arp === undefined ? '100ms' : undefined),
    UpDelaySec: ms(options?.up_delay),
    DownDelaySec: ms(options?.down_delay),
    ARPIntervalSec: arp,
    ARPIPTargets: text(options?.arp_ip_targets.join(' ')),
  };
  return Object.fromEntries(
    Object.entries(wanted).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
}

function wantedBridges(config: SystemNetworkConfig): ReadBridge[] {
  const bridge = (
    device: SystemNetworkInterface | SystemNetworkBond,
    macs: readonly string[],
    hwaddr: string,
    bond: Record<string, string> | undefined,
  ): ReadBridge => {
    const above = config.vlans.filter(({ parent }) => parent === device.name);
    const ids = new Set([...device.vlan_tags, ...above.map(({ id }) => id)].filter((id) => id > 0));
    const port = { bridge: device.name, tags: [...ids].toSorted((a, b) => a - b) };
    const wire = bond === undefined ? `_p${compact(hwaddr)}` : `_b${device.name}`;
    const vlans = above.map(({ name }) => name);
    return {
      name: device.name,
      snooping: device.bridge?.disable_multicast_snooping !== true,
      stp: device.bridge?.stp === true,
      filtering: true,
      hwaddr,
      host: wantedAddresses(device, smallestOf(macs), vlans, config),
      ports: { veth: port, [wire]: port },
      cards: wantedCards(macs, device, bond === undefined),
      bond,
    };
  };
  return [
    ...config.interfaces.map((entry) => bridge(entry, [entry.hwaddr], entry.hwaddr, undefined)),
    ...config.bonds.map((bond) =>
      bridge(bond, bond.members, bond.hwaddr ?? bond.members[0] ?? '', wantedBond(bond)),
    ),
  ];
}

function wantedTunnel(tunnel: SystemNetworkWireguard, config: SystemNetworkConfig): ReadTunnel {
  const { methods, addresses, routes, mtu } = wantedAddresses(tunnel, 9000, [], config);
  return {
    ...{ name: tunnel.name, key: tunnel.private_key ?? '', port: tunnel.port ?? 0 },
    peers: tunnel.peers.map((peer) => ({
      ...{ key: peer.public_key, shared: peer.preshared_key ?? '', endpoint: peer.endpoint ?? '' },
      ...{ networks: peer.allowed_ips.map(networkText), keepalive: peer.persistent_keepalive ?? 0 },
    })),
    host: { methods, addresses, routes, mtu },
  };
}

describe('the files of any valid configuration', () => {
  it('say all that it says, and nothing else', () => {
    fc.assert(
      fc.property(configurations, (config) => {
        const { bridges, vlans, tunnels } = readBack(renderFiles(config, limits));
        expect(bridges).toEqual(wantedBridges(config));
        const mtus = new Map(bridges.map(({ name, host }) => [name, host.mtu]));
        expect(vlans).toEqual(
          config.vlans.map((vlan) => ({
            name: vlan.name,
            id: vlan.id,
            host: wantedAddresses(vlan, mtus.get(vlan.parent) ?? 0, [], config),
          })),
        );
        expect(tunnels).toEqual(config.wireguard.map((tunnel) => wantedTunnel(tunnel, config)));
      }),
      runs,
    );
  });

  it('are one for each device, link and port, in a form that ends no line early', () => {
    fc.assert(
      fc.property(configurations, (config) => {
        const files = renderFiles(config, limits);
        const members = config.bonds.reduce((sum, { members: { length } }) => sum + length, 0);
        expect(files.size).toBe(
          7 * config.interfaces.length +
            7 * config.bonds.length +
            2 * members +
            2 * (config.vlans.length + config.wireguard.length),
        );
        for (const [name, content] of files) {
          expect(name).toMatch(/^\d\d-[^/]+\.(?:link|netdev|network)$/u);
          expect(content).toMatch(/^(?:\[\w+\]\n(?:\w+=[^\n]*\n)+\n?)+$/u);
          expect(content).not.toMatch(/[\t\r\\]/u);
        }
      }),
      runs,
    );
  });

  it('are the same for the same configuration, and those of one interface stay when another changes', () => {
    fc.assert(
      fc.property(configurations, fc.nat(), (config, pick) => {
        const before = renderFiles(config, limits);
        expect([...renderFiles(structuredClone(config), limits)]).toEqual([...before]);
        const chosen = config.interfaces[pick % Math.max(1, config.interfaces.length)];
        fc.pre(chosen !== undefined);
        const interfaces = config.interfaces.map((entry) =>
          entry === chosen ? { ...entry, lldp: entry.lldp !== true, mtu: 1234 } : entry,
        );
        const after = renderFiles({ ...config, interfaces }, limits);
        const changed = [...after].filter(([name, content]) => before.get(name) !== content);
        const own = [chosen.name, compact(chosen.hwaddr)];
        const above = config.vlans.filter(({ parent }) => parent === chosen.name).map(({ name }) => name);
        const names = new Set(
          [...own.flatMap((name) => [name, `_v${name}`, `_p${name}`, `_i${name}`]), ...above].map(
            (name) => `${name}.`,
          ),
        );
        for (const [file] of changed)
          expect(
            [...names].some((name) => file.slice(3).startsWith(name)),
            file,
          ).toBe(true);
      }),
      runs,
    );
  });
});
