/** The keys that networkd and udev of systemd 257 know, as far as anything of ours could use them. */
import type { UnitFile } from './unit-file.ts';

const match = ['Name', 'OriginalName', 'PermanentMACAddress', 'MACAddress', 'Driver', 'Type', 'Kind', 'Path'];

const known: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>> = {
  link: {
    Match: match,
    Link: [
      ...[
        'Description',
        'Alias',
        'MACAddressPolicy',
        'MACAddress',
        'NamePolicy',
        'Name',
        'MTUBytes',
        'BitsPerSecond',
      ],
      ...[
        'WakeOnLan',
        'WakeOnLanPassword',
        'GenericReceiveOffload',
        'GenericReceiveOffloadHardware',
        'AlternativeNamesPolicy',
      ],
      ...[
        'GenericSegmentationOffload',
        'TCPSegmentationOffload',
        'TCP6SegmentationOffload',
        'LargeReceiveOffload',
      ],
      ...['RxBufferSize', 'RxMiniBufferSize', 'RxJumboBufferSize', 'TxBufferSize'],
    ],
  },
  netdev: {
    Match: match,
    NetDev: ['Description', 'Name', 'Kind', 'MTUBytes', 'MACAddress'],
    Bridge: ['VLANFiltering', 'STP', 'MulticastSnooping', 'DefaultPVID', 'ForwardDelaySec'],
    Peer: ['Name', 'MACAddress'],
    VLAN: ['Id', 'Protocol'],
    Bond: [
      ...[
        'Mode',
        'TransmitHashPolicy',
        'LACPTransmitRate',
        'MIIMonitorSec',
        'UpDelaySec',
        'DownDelaySec',
        'MinLinks',
      ],
      ...['ARPIntervalSec', 'ARPIPTargets', 'PrimaryReselectPolicy', 'AdSelect'],
    ],
    WireGuard: ['PrivateKey', 'PrivateKeyFile', 'ListenPort', 'FirewallMark', 'RouteTable'],
    WireGuardPeer: [
      'PublicKey',
      'PresharedKey',
      'AllowedIPs',
      'Endpoint',
      'PersistentKeepalive',
      'RouteTable',
    ],
  },
  network: {
    Match: match,
    Link: [
      'MTUBytes',
      'MACAddress',
      'RequiredForOnline',
      'RequiredFamilyForOnline',
      'ActivationPolicy',
      'Unmanaged',
      'ARP',
    ],
    Network: [
      ...[
        'Description',
        'VLAN',
        'Domains',
        'DNS',
        'DNSOverTLS',
        'DNSSEC',
        'NTP',
        'LinkLocalAddressing',
        'Address',
        'Gateway',
      ],
      ...[
        'ConfigureWithoutCarrier',
        'IPv6AcceptRA',
        'DHCP',
        'LLDP',
        'EmitLLDP',
        'Bridge',
        'Bond',
        'MulticastDNS',
        'LLMNR',
      ],
      ...['IPv6DuplicateAddressDetection', 'IgnoreCarrierLoss', 'KeepConfiguration'],
    ],
    DHCP: ['ClientIdentifier', 'RouteMetric', 'UseMTU', 'UseDNS', 'UseDomains', 'UseNTP'],
    DHCPv4: ['ClientIdentifier', 'RouteMetric', 'UseMTU', 'UseDNS', 'UseDomains', 'UseNTP'],
    DHCPv6: ['WithoutRA', 'UseDNS', 'UseDomains', 'UseNTP'],
    IPv6AcceptRA: ['UseDNS', 'UseDomains', 'RouteMetric'],
    Route: [
      'Gateway',
      'Destination',
      'GatewayOnLink',
      'Metric',
      'Source',
      'PreferredSource',
      'Scope',
      'Table',
      'MTUBytes',
    ],
    Address: ['Address', 'Peer', 'Label', 'DuplicateAddressDetection'],
    BridgeVLAN: ['VLAN', 'EgressUntagged', 'PVID'],
  },
};

/** A sentence for every section and key that systemd ignores. */
export function unknownKeys(file: UnitFile): string[] {
  const sections = known[file.path.slice(file.path.lastIndexOf('.') + 1)] ?? {};
  return file.sections.flatMap(({ name, entries }) => {
    const keys = sections[name];
    if (keys === undefined) return [`${file.path}: Unknown section '${name}'. Ignoring.`];
    return entries
      .filter(([key]) => !keys.includes(key))
      .map(([key]) => `${file.path}: Unknown key '${key}' in section [${name}], ignoring.`);
  });
}
