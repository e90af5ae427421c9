/**
 * Reads from systemd's files what a configuration must have said: the settings as systemd sees them, knowing nothing of
 * how the files are written but their keys (systemd.link(5), systemd.netdev(5), systemd.network(5)).
 */

interface UnitFile {
  readonly name: string;
  readonly sections: readonly {
    readonly name: string;
    readonly entries: readonly (readonly [string, string])[];
  }[];
}

export interface ReadAddresses {
  readonly methods: { readonly dhcp: string; readonly ra: boolean };
  readonly addresses: readonly string[];
  readonly routes: readonly { readonly to: string; readonly via: string; readonly onlink: boolean }[];
  readonly mtu: number;
  /** Family that is waited for; `no` when nothing is. */
  readonly required: string;
  readonly vlans: readonly string[];
  readonly dns: {
    readonly servers: readonly string[];
    readonly domains: readonly string[];
    readonly tls: boolean;
  };
  readonly ntp: readonly string[];
}

export interface ReadCard {
  readonly mac: string;
  readonly randomMac: boolean;
  readonly lldp: readonly string[];
  readonly link: Readonly<Record<string, readonly string[]>>;
}

export interface ReadPort {
  readonly bridge: string;
  readonly tags: readonly number[];
}

export interface ReadBridge {
  readonly name: string;
  readonly snooping: boolean;
  readonly stp: boolean;
  readonly filtering: boolean;
  readonly hwaddr: string;
  readonly host: ReadAddresses;
  /** By port, without the tags of a port that is none. */
  readonly ports: Readonly<Record<string, ReadPort>>;
  readonly cards: readonly ReadCard[];
  /** Settings of the bond, if there is one. */
  readonly bond: Readonly<Record<string, string>> | undefined;
}

export interface ReadVlan {
  readonly name: string;
  readonly id: number;
  readonly host: ReadAddresses;
}

export interface ReadTunnel {
  readonly name: string;
  readonly key: string;
  readonly port: number;
  readonly peers: readonly {
    readonly key: string;
    readonly shared: string;
    readonly networks: readonly string[];
    readonly endpoint: string;
    readonly keepalive: number;
  }[];
  readonly host: Pick<ReadAddresses, 'methods' | 'addresses' | 'routes' | 'mtu'>;
}

export interface ReadBack {
  readonly bridges: readonly ReadBridge[];
  readonly vlans: readonly ReadVlan[];
  readonly tunnels: readonly ReadTunnel[];
}

/** @throws Error for a line that is neither a section nor a key, and for a device without its files. */
export function readBack(files: ReadonlyMap<string, string>): ReadBack {
  const units = [...files].map(([name, content]) => parse(name, content));
  const netdevs = units.filter(({ name }) => name.endsWith('.netdev'));
  const ofKind = (kind: string): UnitFile[] => netdevs.filter((unit) => one(unit, 'NetDev', 'Kind') === kind);
  return {
    bridges: ofKind('bridge').map((unit) => readBridge(unit, units)),
    vlans: ofKind('vlan').map((unit) => ({
      name: one(unit, 'NetDev', 'Name'),
      id: Number(one(unit, 'VLAN', 'Id')),
      host: readAddresses(networkOf(one(unit, 'NetDev', 'Name'), units)),
    })),
    tunnels: ofKind('wireguard').map((unit) => ({
      name: one(unit, 'NetDev', 'Name'),
      key: one(unit, 'WireGuard', 'PrivateKey'),
      port: Number(one(unit, 'WireGuard', 'ListenPort', '0')),
      peers: unit.sections
        .filter(({ name }) => name === 'WireGuardPeer')
        .map((section) => {
          const own = { name: unit.name, sections: [section] };
          const value = (key: string): string => one(own, section.name, key, '');
          return {
            ...{ key: value('PublicKey'), shared: value('PresharedKey'), endpoint: value('Endpoint') },
            networks: all(own, section.name, 'AllowedIPs'),
            keepalive: Number(value('PersistentKeepalive')),
          };
        }),
      host: readHost(networkOf(one(unit, 'NetDev', 'Name'), units)),
    })),
  };
}

function readBridge(unit: UnitFile, units: readonly UnitFile[]): ReadBridge {
  const name = one(unit, 'NetDev', 'Name');
  const veth = netdevOf(`_v${name}`, units);
  const bond = units.find(
    (other) => other.name.endsWith('.netdev') && one(other, 'NetDev', 'Name', '') === `_b${name}`,
  );
  const ports = units.filter((other) => all(other, 'Network', 'Bridge').includes(name));
  const cards = units.filter((other) =>
    bond === undefined
      ? ports.includes(other) && one(other, 'Match', 'Name').startsWith('_p')
      : all(other, 'Network', 'Bond').includes(`_b${name}`),
  );
  return {
    name,
    snooping: one(unit, 'Bridge', 'MulticastSnooping', 'true') === 'true',
    stp: one(unit, 'Bridge', 'STP', 'false') === 'true',
    filtering: one(unit, 'Bridge', 'VLANFiltering') === 'true',
    hwaddr: one(veth, 'NetDev', 'MACAddress'),
    host: readAddresses(networkOf(`_v${name}`, units)),
    ports: Object.fromEntries(
      ports.map((port) => [
        one(port, 'Match', 'Name') === one(veth, 'Peer', 'Name') ? 'veth' : one(port, 'Match', 'Name'),
        { bridge: name, tags: all(port, 'BridgeVLAN', 'VLAN').map(Number) },
      ]),
    ),
    cards: cards.map((card) => readCard(card, units)),
    bond: bond === undefined ? undefined : Object.fromEntries(entriesOf(bond, 'Bond')),
  };
}

function readCard(network: UnitFile, units: readonly UnitFile[]): ReadCard {
  const device = one(network, 'Match', 'Name');
  const link = units.find((unit) => unit.name.endsWith('.link') && one(unit, 'Link', 'Name') === device);
  if (link === undefined) throw new Error(`nothing gives a card the name ${device}`);
  const settings: Record<string, string[]> = {};
  for (const [key, value] of entriesOf(link, 'Link')) (settings[key] ??= []).push(value);
  const named = ['MACAddressPolicy', 'Name', 'NamePolicy'];
  return {
    mac: one(link, 'Match', 'PermanentMACAddress'),
    randomMac: one(link, 'Link', 'MACAddressPolicy', '') === 'random',
    lldp: [...all(network, 'Network', 'LLDP'), ...all(network, 'Network', 'EmitLLDP')],
    link: Object.fromEntries(Object.entries(settings).filter(([key]) => !named.includes(key))),
  };
}

function readAddresses(unit: UnitFile): ReadAddresses {
  const online = one(unit, 'Link', 'RequiredForOnline');
  return {
    ...readHost(unit),
    required: online === 'no' ? 'no' : one(unit, 'Link', 'RequiredFamilyForOnline'),
    vlans: all(unit, 'Network', 'VLAN'),
    dns: {
      servers: all(unit, 'Network', 'DNS'),
      domains: all(unit, 'Network', 'Domains').flatMap((line) => line.split(' ')),
      tls: one(unit, 'Network', 'DNSOverTLS', 'no') === 'yes',
    },
    ntp: all(unit, 'Network', 'NTP'),
  };
}

function readHost(unit: UnitFile): Pick<ReadAddresses, 'methods' | 'addresses' | 'routes' | 'mtu'> {
  return {
    methods: {
      dhcp: one(unit, 'Network', 'DHCP', 'no'),
      ra: one(unit, 'Network', 'IPv6AcceptRA') === 'true',
    },
    addresses: all(unit, 'Network', 'Address'),
    routes: unit.sections
      .filter(({ name }) => name === 'Route')
      .map(({ entries }) => {
        const route = Object.fromEntries(entries);
        return {
          to: route['Destination'] ?? '',
          via: route['Gateway'] ?? '',
          onlink: route['GatewayOnLink'] === 'true',
        };
      }),
    mtu: Number(one(unit, 'Link', 'MTUBytes')),
  };
}

function parse(name: string, content: string): UnitFile {
  const sections: { name: string; entries: (readonly [string, string])[] }[] = [];
  for (const line of content.split('\n')) {
    const header = /^\[(\w+)\]$/u.exec(line)?.[1];
    const [, key, value] = /^(\w+)=(.*)$/u.exec(line) ?? [];
    if (header !== undefined) sections.push({ name: header, entries: [] });
    else if (key !== undefined && value !== undefined) sections.at(-1)?.entries.push([key, value]);
    else if (line !== '') throw new Error(`${name} has the line ${line}`);
  }
  return { name, sections };
}

function entriesOf(unit: UnitFile, section: string): (readonly [string, string])[] {
  return unit.sections.filter(({ name }) => name === section).flatMap(({ entries }) => [...entries]);
}

function all(unit: UnitFile, section: string, key: string): string[] {
  return entriesOf(unit, section)
    .filter(([name]) => name === key)
    .map(([, value]) => value);
}

function one(unit: UnitFile, section: string, key: string, otherwise?: string): string {
  const values = all(unit, section, key);
  if (values.length > 1) throw new Error(`${unit.name} has ${key} ${values.length} times`);
  const value = values[0] ?? otherwise;
  if (value === undefined) throw new Error(`${unit.name} has no ${key} in [${section}]`);
  return value;
}

function netdevOf(name: string, units: readonly UnitFile[]): UnitFile {
  const found = units.find((unit) => unit.name.endsWith('.netdev') && one(unit, 'NetDev', 'Name') === name);
  if (found === undefined) throw new Error(`nothing makes ${name}`);
  return found;
}

function networkOf(name: string, units: readonly UnitFile[]): UnitFile {
  const found = units.filter((unit) => unit.name.endsWith('.network') && one(unit, 'Match', 'Name') === name);
  const [first] = found;
  if (first === undefined || found.length > 1) throw new Error(`${found.length} files are for ${name}`);
  return first;
}
