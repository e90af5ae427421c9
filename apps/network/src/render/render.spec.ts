import { SystemNetworkConfig } from '@incusos/contracts/network';
import { describe, expect, it } from 'vitest';
import { MtuError } from './mtu.ts';
import { renderFiles } from './render.ts';

type Draft = Parameters<typeof SystemNetworkConfig.fromPartial>[0];

const mac = (number: number): string => `10:66:6A:00:00:${number.toString(16).padStart(2, '0')}`;
const limits = new Map(
  [1, 2, 3, 4].map((number) => [mac(number).toLowerCase(), number === 4 ? 1500 : 65_535]),
);
const render = (draft: Draft): Map<string, string> =>
  renderFiles(SystemNetworkConfig.fromPartial(draft), limits);

function file(...lines: string[]): string {
  return lines.map((line) => `${line}\n`).join('');
}

describe('the files of an interface', () => {
  const files = render({
    interfaces: [
      {
        name: 'enp5s0',
        hwaddr: mac(1),
        addresses: ['dhcp4', 'slaac', '192.0.2.10/24'],
        lldp: true,
        mtu: 1400,
        required_for_online: 'ipv4',
        vlan_tags: [30, 20],
        routes: [
          { to: '198.51.100.0/24', via: 'dhcp4' },
          { to: '2001:db8:1::/48', via: 'slaac' },
          { to: '203.0.113.0/24', via: '192.0.2.1', onlink: true },
        ],
        bridge: { disable_multicast_snooping: true, stp: true },
        ethernet: {
          disable_gro: true,
          disable_gso: true,
          disable_ipv4_tso: true,
          disable_ipv6_tso: true,
          disable_energy_efficient: true,
          wakeonlan: true,
          wakeonlan_modes: ['magic', 'secureon'],
          wakeonlan_password: '01:02:03:04:05:06',
          rx_buffer_size: 'max',
          tx_buffer_size: '512',
        },
      },
    ],
    vlans: [
      { name: 'guests', id: 20, parent: 'enp5s0', addresses: ['dhcp4', 'dhcp6'] },
      { name: 'cameras', id: 10, parent: 'enp5s0' },
    ],
    dns: {
      hostname: 'h',
      domain: 'd.example',
      search_domains: ['a.example', 'b.example'],
      nameservers: ['192.0.2.53', '2001:db8::53'],
      dns_over_tls: true,
    },
    time: { ntp_servers: ['ntp1.example', 'ntp2.example'] },
  });

  it('are exactly these', () => {
    expect([...files.keys()].toSorted()).toEqual([
      '00-_p10666a000001.link',
      '10-_venp5s0.netdev',
      '10-enp5s0.netdev',
      '12-cameras.netdev',
      '12-guests.netdev',
      '20-_i10666a000001.network',
      '20-_p10666a000001.network',
      '20-_venp5s0.network',
      '20-enp5s0.network',
      '22-cameras.network',
      '22-guests.network',
    ]);
  });

  it.each([
    [
      '00-_p10666a000001.link',
      file(
        '[Match]',
        `PermanentMACAddress=${mac(1)}`,
        '',
        '[Link]',
        'MACAddressPolicy=random',
        'NamePolicy=',
        'Name=_p10666a000001',
        'MTUBytes=9000',
        'GenericReceiveOffload=false',
        'GenericReceiveOffloadHardware=false',
        'GenericSegmentationOffload=false',
        'TCPSegmentationOffload=false',
        'TCP6SegmentationOffload=false',
        'WakeOnLan=magic',
        'WakeOnLan=secureon',
        'WakeOnLanPassword=01:02:03:04:05:06',
        'RxBufferSize=max',
        'TxBufferSize=512',
      ),
    ],
    [
      '10-enp5s0.netdev',
      file(
        '[NetDev]',
        'Name=enp5s0',
        'Kind=bridge',
        '',
        '[Bridge]',
        'VLANFiltering=true',
        'MulticastSnooping=false',
        'STP=true',
      ),
    ],
    [
      '10-_venp5s0.netdev',
      file(
        '[NetDev]',
        'Name=_venp5s0',
        'Kind=veth',
        `MACAddress=${mac(1)}`,
        '',
        '[Peer]',
        'Name=_i10666a000001',
      ),
    ],
    ['12-guests.netdev', file('[NetDev]', 'Name=guests', 'Kind=vlan', '', '[VLAN]', 'Id=20')],
    [
      '20-_venp5s0.network',
      file(
        '[Match]',
        'Name=_venp5s0',
        '',
        '[Link]',
        'RequiredForOnline=yes',
        'RequiredFamilyForOnline=ipv4',
        'MTUBytes=1400',
        '',
        '[DHCP]',
        'ClientIdentifier=mac',
        'RouteMetric=100',
        '',
        '[DHCPv6]',
        'WithoutRA=solicit',
        '',
        '[Network]',
        'VLAN=guests',
        'VLAN=cameras',
        'Domains=a.example b.example',
        'DNS=192.0.2.53',
        'DNS=2001:db8::53',
        'DNSOverTLS=yes',
        'NTP=ntp1.example',
        'NTP=ntp2.example',
        'LinkLocalAddressing=ipv6',
        'Address=192.0.2.10/24',
        'IPv6AcceptRA=true',
        'DHCP=ipv4',
        '',
        '[Route]',
        'Gateway=_dhcp4',
        'Destination=198.51.100.0/24',
        '',
        '[Route]',
        'Gateway=_ipv6ra',
        'Destination=2001:db8:1::/48',
        '',
        '[Route]',
        'Gateway=192.0.2.1',
        'Destination=203.0.113.0/24',
        'GatewayOnLink=true',
      ),
    ],
    [
      '20-_i10666a000001.network',
      file(
        '[Match]',
        'Name=_i10666a000001',
        '',
        '[Link]',
        'MTUBytes=9000',
        '',
        '[Network]',
        'Bridge=enp5s0',
        '',
        '[BridgeVLAN]',
        'VLAN=10',
        '',
        '[BridgeVLAN]',
        'VLAN=20',
        '',
        '[BridgeVLAN]',
        'VLAN=30',
      ),
    ],
    [
      '20-_p10666a000001.network',
      file(
        '[Match]',
        'Name=_p10666a000001',
        '',
        '[Link]',
        'MTUBytes=9000',
        '',
        '[Network]',
        'LLDP=true',
        'EmitLLDP=true',
        'Bridge=enp5s0',
        '',
        '[BridgeVLAN]',
        'VLAN=10',
        '',
        '[BridgeVLAN]',
        'VLAN=20',
        '',
        '[BridgeVLAN]',
        'VLAN=30',
      ),
    ],
    [
      '20-enp5s0.network',
      file(
        '[Match]',
        'Name=enp5s0',
        '',
        '[Link]',
        'MTUBytes=9000',
        '',
        '[Network]',
        'LinkLocalAddressing=no',
        'ConfigureWithoutCarrier=yes',
      ),
    ],
    [
      '22-cameras.network',
      file(
        '[Match]',
        'Name=cameras',
        '',
        '[Link]',
        'RequiredForOnline=no',
        'MTUBytes=1400',
        '',
        '[DHCP]',
        'ClientIdentifier=mac',
        'RouteMetric=100',
        '',
        '[DHCPv6]',
        'WithoutRA=solicit',
        '',
        '[Network]',
        'Domains=a.example b.example',
        'DNS=192.0.2.53',
        'DNS=2001:db8::53',
        'DNSOverTLS=yes',
        'NTP=ntp1.example',
        'NTP=ntp2.example',
        'LinkLocalAddressing=no',
        'ConfigureWithoutCarrier=yes',
        'IPv6AcceptRA=false',
      ),
    ],
  ])('say in %s what the configuration says', (name, content) => {
    expect(files.get(name)).toBe(content);
  });

  it('ask for both kinds of leases by one word', () => {
    expect(files.get('22-guests.network')).toContain('IPv6AcceptRA=true\nDHCP=yes\n');
  });
});

describe('the files of a bond', () => {
  const files = render({
    bonds: [
      { name: 'uplink', mode: '802.3ad', members: [mac(2), mac(4)], addresses: ['dhcp6'], vlan_tags: [7] },
    ],
  });

  it.each([
    [
      '01-_p10666a000002.link',
      file(
        '[Match]',
        `PermanentMACAddress=${mac(2)}`,
        '',
        '[Link]',
        'NamePolicy=',
        'Name=_p10666a000002',
        'MTUBytes=9000',
      ),
    ],
    [
      '11-_buplink.netdev',
      file(
        '[NetDev]',
        'Name=_buplink',
        'Kind=bond',
        '',
        '[Bond]',
        'Mode=802.3ad',
        'TransmitHashPolicy=layer3+4',
        'LACPTransmitRate=fast',
        'MIIMonitorSec=100ms',
      ),
    ],
    [
      '11-uplink.netdev',
      file('[NetDev]', 'Name=uplink', 'Kind=bridge', '', '[Bridge]', 'VLANFiltering=true'),
    ],
    [
      '11-_vuplink.netdev',
      file(
        '[NetDev]',
        'Name=_vuplink',
        'Kind=veth',
        `MACAddress=${mac(2)}`,
        '',
        '[Peer]',
        'Name=_i10666a000002',
      ),
    ],
    [
      '21-_buplink-dev0.network',
      file(
        '[Match]',
        'Name=_p10666a000002',
        '',
        '[Link]',
        'MTUBytes=9000',
        '',
        '[Network]',
        'LLDP=false',
        'EmitLLDP=false',
        'Bond=_buplink',
      ),
    ],
    [
      '21-_buplink-dev1.network',
      file(
        '[Match]',
        'Name=_p10666a000004',
        '',
        '[Link]',
        'MTUBytes=1500',
        '',
        '[Network]',
        'LLDP=false',
        'EmitLLDP=false',
        'Bond=_buplink',
      ),
    ],
    [
      '21-_buplink.network',
      file(
        '[Match]',
        'Name=_buplink',
        '',
        '[Link]',
        'MTUBytes=1500',
        '',
        '[Network]',
        'LinkLocalAddressing=no',
        'ConfigureWithoutCarrier=yes',
        'Bridge=uplink',
        '',
        '[BridgeVLAN]',
        'VLAN=7',
      ),
    ],
  ])('say in %s what the configuration says', (name, content) => {
    expect(files.get(name)).toBe(content);
  });

  it.each([
    'balance-rr',
    'active-backup',
    'balance-xor',
    'broadcast',
    '802.3ad',
    'balance-tlb',
    'balance-alb',
  ])('watch links in mode %s, or a broken one would stay in use', (mode) => {
    const files = render({ bonds: [{ name: 'u', mode, members: [mac(2)] }] });
    expect(files.get('11-_bu.netdev')).toContain(`Mode=${mode}\n`);
    expect(files.get('11-_bu.netdev')).toContain('MIIMonitorSec=100ms\n');
  });

  it('watch links as it was said', () => {
    const netdev = (options: object): string | undefined =>
      render({ bonds: [{ name: 'u', mode: 'active-backup', members: [mac(2)], options }] }).get(
        '11-_bu.netdev',
      );
    expect(netdev({ mii_monitor_interval: 250, up_delay: 500, down_delay: 250 })).toContain(
      'MIIMonitorSec=250ms\nUpDelaySec=500ms\nDownDelaySec=250ms\n',
    );
    expect(netdev({ arp_interval: 1000, arp_ip_targets: ['192.0.2.1', '192.0.2.2'] })).toBe(
      file(
        '[NetDev]',
        'Name=_bu',
        'Kind=bond',
        '',
        '[Bond]',
        'Mode=active-backup',
        'ARPIntervalSec=1000ms',
        'ARPIPTargets=192.0.2.1 192.0.2.2',
      ),
    );
  });
});

describe('the MTU', () => {
  it('is at most what the card takes, and 1500 when nothing was said', () => {
    const mtu = (number: number, wanted?: number): string | undefined =>
      /MTUBytes=(\d+)/u.exec(
        render({
          interfaces: [{ name: 'a', hwaddr: mac(number), ...(wanted === undefined ? {} : { mtu: wanted }) }],
        }).get('20-_va.network') ?? '',
      )?.[1];
    expect(mtu(1)).toBe('1500');
    expect(mtu(1, 9000)).toBe('9000');
    expect(mtu(4, 9000)).toBe('1500');
  });

  it('is an error where the card takes less than IPv6 needs', () => {
    const config = SystemNetworkConfig.fromPartial({ interfaces: [{ name: 'a', hwaddr: mac(1) }] });
    expect(() => renderFiles(config, new Map([[mac(1).toLowerCase(), 1000]]))).toThrow(MtuError);
  });
});
