/** The network section of a machine description: NICs, the network they are plugged into, and what the kernel holds. */
import { type AddonsSection, defaultAddons } from './addons/section.ts';
import type { NftTable } from './nft-tables.ts';

/** A network card. */
export interface Nic {
  /** The kernel's name at boot, such as `enp5s0`. */
  readonly name: string;
  /** Permanent MAC, lower case. */
  readonly mac: string;
  readonly driver: string;
  /** Mbit/s. */
  readonly speed: number;
  /** Largest MTU that the driver takes. */
  readonly max_mtu: number;
  /** Its PCI address, such as `0000:05:00.0`. */
  readonly bus_address: string;
  /** Whether a cable connects it to the LAN. */
  link: 'up' | 'down';
  /** RFC 3339; when the cable was last plugged in or pulled. */
  link_since: string;
}

/** The network behind the cables: a switch, a router that hands out addresses, and a resolver. */
export interface Lan {
  readonly ipv4: {
    /** CIDR. */
    readonly network: string;
    readonly gateway: string;
    readonly dns: readonly string[];
    readonly ntp: readonly string[];
    readonly domain: string;
    /** Seconds. */
    readonly lease_time: number;
    /** Host number of the first address that is handed out. */
    readonly pool_start: number;
  } | null;
  readonly ipv6: {
    /** CIDR of 64 bits. */
    readonly prefix: string;
    /** Link-local address of the router. */
    readonly router: string;
    readonly dns: readonly string[];
    /** Whether DHCPv6 hands out addresses besides router advertisements. */
    readonly dhcp: boolean;
  } | null;
  /** Whether the router reaches the rest of the world, public name servers included. */
  readonly internet: boolean;
  /** What the switch says of itself by LLDP. */
  readonly neighbour: { readonly chassis_id: string; readonly name: string; readonly description: string };
}

export type LinkKind = 'loopback' | 'ether' | 'bridge' | 'veth' | 'vlan' | 'bond' | 'wireguard';

/** A `[Route]` of a .network file. */
export interface AppliedRoute {
  /** CIDR or `default`. */
  readonly to: string;
  /** An address, `_dhcp4` or `_ipv6ra`; absent for a route without gateway. */
  readonly via?: string;
}

/** What networkd made of the .network file that matches a link. */
export interface AppliedNetwork {
  readonly file: string;
  /** Tells whether the file's text changed since. */
  readonly digest: string;
  /** RFC 3339; when the file had been written. */
  readonly modified: string;
  /** RFC 3339; when it was configured so. */
  readonly since: string;
  readonly addresses: readonly string[];
  readonly dhcp4: boolean;
  readonly dhcp6: boolean;
  readonly accept_ra: boolean;
  readonly link_local: boolean;
  readonly routes: readonly AppliedRoute[];
  readonly dns: readonly string[];
  readonly domains: readonly string[];
  readonly ntp: readonly string[];
  readonly lldp: boolean;
  readonly required: boolean;
  readonly family: 'any' | 'ipv4' | 'ipv6' | 'both';
}

/** A WireGuard device's settings. Keys are in base64. */
export interface Wireguard {
  readonly private_key: string | null;
  readonly listen_port: number;
  readonly peers: readonly WireguardPeer[];
}

export interface WireguardPeer {
  readonly public_key: string;
  readonly preshared_key: string | null;
  /** Address and port; absent until it is known. */
  readonly endpoint: string | null;
  readonly allowed_ips: readonly string[];
  /** Seconds; 0 for none. */
  readonly keepalive: number;
}

/** A network device as the kernel has it. */
export interface Link {
  readonly index: number;
  /** RFC 3339; when it was made or found. */
  readonly created: string;
  name: string;
  readonly kind: LinkKind;
  mac: string;
  /** As in `/sys/class/net/x/addr_assign_type`: 0 permanent, 3 set by someone. */
  mac_assigned: 0 | 3;
  mtu: number;
  up: boolean;
  /** MAC of the NIC behind an `ether` link. */
  nic?: string;
  /** Index of the bridge or bond that it is a port of. */
  master?: number;
  /** Index of the other end of a veth pair. */
  peer?: number;
  /** Index of the device below a vlan. */
  parent?: number;
  vlan_id?: number;
  bond_mode?: string;
  /** Whether a card saves energy; it does unless told otherwise. */
  eee?: 'on' | 'off';
  wireguard?: Wireguard;
  network?: AppliedNetwork;
  link_file?: string;
}

export interface NetworkSection {
  nics: Nic[];
  lan: Lan;
  /** In the kernel's memory; empty while the machine is off. */
  links: Link[];
  next_index: number;
  /** The rules of the packet filter; in the kernel's memory too. */
  nftables: NftTable[];
  /** The system's host name and clock settings, kept on disk. */
  host_name: string;
  time_zone: string;
  /** What the add-on services' programs keep on disk. */
  addons: AddonsSection;
  /** The time server that answered, while the time service runs. */
  time_server?: string;
}

export function defaultNetwork(): NetworkSection {
  return {
    nics: [defaultNic('enp5s0', 1)],
    lan: {
      ipv4: {
        network: '192.0.2.0/24',
        gateway: '192.0.2.1',
        dns: ['192.0.2.1'],
        ntp: ['192.0.2.1'],
        domain: 'lan.example',
        lease_time: 3600,
        pool_start: 100,
      },
      ipv6: {
        prefix: '2001:db8:0:1::/64',
        router: 'fe80::5054:ff:fe00:1',
        dns: ['2001:db8:0:1::1'],
        dhcp: true,
      },
      internet: true,
      neighbour: {
        chassis_id: '52:54:00:00:00:01',
        name: 'switch.lan.example',
        description: 'Emulated switch',
      },
    },
    links: [],
    next_index: 1,
    nftables: [],
    host_name: 'localhost',
    time_zone: 'UTC',
    addons: defaultAddons(),
  };
}

/** A NIC as QEMU's virtio gives it. `number` makes its MAC and PCI address. */
export function defaultNic(name: string, number: number): Nic {
  const hex = number.toString(16).padStart(2, '0');
  return {
    name,
    mac: `10:66:6a:00:00:${hex}`,
    driver: 'virtio_net',
    speed: 10_000,
    max_mtu: 65_535,
    bus_address: `0000:${(4 + number).toString(16).padStart(2, '0')}:00.0`,
    link: 'up',
    link_since: '1970-01-01T00:00:00.000Z',
  };
}
