/** networkctl(1) of systemd 257: lists, states and LLDP neighbours as JSON and as a table, reload, reconfigure, delete. */
import { failure, type Tool, type ToolCall, type ToolResult } from '../tools/tool.ts';
import { addressBytes, eui64, macBytes } from './addressing.ts';
import { findLink, infoKind, maxMtu, nicOf, removeLink } from './kernel.ts';
import { heardBy, neighboursOf } from './lldp.ts';
import { addressesOf, stateOf } from './live.ts';
import { reloadNetworkd } from './networkd.ts';
import { say } from './say.ts';
import type { Link, NetworkSection } from './section.ts';
import { showLinks } from './sysfs.ts';

const networkd = 'systemd-networkd.service';

export const networkctl: Tool = async (call) => {
  let json: 'short' | 'pretty' | 'off' = 'off';
  const words: string[] = [];
  for (const arg of call.args) {
    const format = /^--json=(.*)$/u.exec(arg)?.[1];
    if (format === 'short' || format === 'pretty' || format === 'off') json = format;
    else if (format !== undefined) return failure(`Unknown argument to --json=: ${format}`);
    else if (
      [
        '--no-pager',
        '--no-legend',
        '-a',
        '--all',
        '-l',
        '--full',
        '-s',
        '--stats',
        '--no-ask-password',
      ].includes(arg)
    )
      continue;
    else if (arg.startsWith('-')) return failure(`networkctl: unrecognized option '${arg}'`);
    else words.push(arg);
  }
  const [verb = 'list', ...names] = words;
  return run(call, verb, names, json);
};

async function run(
  call: ToolCall,
  verb: string,
  names: readonly string[],
  json: 'short' | 'pretty' | 'off',
): Promise<ToolResult> {
  const { machine, files } = call;
  const section = machine.read().network;
  const print = (value: unknown): ToolResult => ({
    stdout: `${JSON.stringify(value, undefined, json === 'pretty' ? '\t' : undefined)}\n`,
  });
  switch (verb) {
    case 'list':
    case 'status': {
      const missing = names.find((name) => findLink(section, name) === undefined);
      if (missing !== undefined) return failure(`Interface "${missing}" not found.`);
      const links =
        names.length === 0 ? section.links : section.links.filter(({ name }) => names.includes(name));
      if (json === 'off') return { stdout: table(section, links) };
      // One interface asked for by its name is shown without a list around it.
      const first = links[0];
      if (verb === 'status' && names.length === 1 && first !== undefined)
        return print(describe(section, first));
      return print({ Interfaces: links.map((link) => describe(section, link)) });
    }
    case 'lldp':
      if (json === 'off') return { stdout: lldpTable(section) };
      return print(neighboursOf(section));
    case 'reload':
      if (machine.read().system.units[networkd]?.active !== 'active') {
        return failure(
          'Failed to reload network settings: Unit dbus-org.freedesktop.network1.service not found.',
        );
      }
      say(machine, networkd, await reloadNetworkd(machine, files));
      return {};
    case 'reconfigure':
    case 'renew':
      return reconfigure(call, names);
    case 'delete':
      return remove(call, names);
    case 'up':
    case 'down':
      return setUp(call, names, verb === 'up');
    default:
      return failure(`Unknown command verb '${verb}'.`);
  }
}

async function reconfigure({ machine, files }: ToolCall, names: readonly string[]): Promise<ToolResult> {
  if (names.length === 0) return failure('Too few arguments.');
  const missing = names.find((name) => findLink(machine.read().network, name) === undefined);
  if (missing !== undefined) return failure(`Failed to resolve interface "${missing}": No such device`);
  await machine.change(({ network: section }) => {
    for (const link of section.links) if (names.includes(link.name)) delete link.network;
  });
  say(machine, networkd, await reloadNetworkd(machine, files));
  return {};
}

async function remove({ machine }: ToolCall, names: readonly string[]): Promise<ToolResult> {
  if (names.length === 0) return failure('Too few arguments.');
  const answer = await machine.change(({ network: section }) => {
    for (const name of names) {
      const link = findLink(section, name);
      if (link === undefined) return failure(`Failed to resolve interface "${name}": No such device`);
      if (link.kind === 'ether' || link.kind === 'loopback')
        return failure(`Failed to delete network interface ${name}: Operation not supported`);
      removeLink(section, link);
    }
    return {};
  });
  await showLinks(machine);
  return answer;
}

async function setUp({ machine }: ToolCall, names: readonly string[], up: boolean): Promise<ToolResult> {
  const answer = await machine.change(({ network: section }) => {
    for (const name of names) {
      const link = findLink(section, name);
      if (link === undefined) return failure(`Failed to resolve interface "${name}": No such device`);
      link.up = up;
    }
    return {};
  });
  await showLinks(machine);
  return answer;
}

/** A link as networkd's `Describe` has it (networkd-json.c). */
function describe(section: Readonly<NetworkSection>, link: Link): Record<string, unknown> {
  const state = stateOf(section, link);
  const nic = nicOf(section, link);
  const kind = infoKind(link.kind);
  const { network } = link;
  const addresses = addressesOf(section, link);
  return {
    Index: link.index,
    Name: link.name,
    ...(kind === undefined ? {} : { Kind: kind }),
    Type: typeOf(link),
    ...(nic === undefined ? {} : { Driver: nic.driver }),
    KernelOperationalState: state.carrier === 'off' || state.carrier === 'no-carrier' ? 2 : 6,
    KernelOperationalStateString: state.carrier === 'off' || state.carrier === 'no-carrier' ? 'down' : 'up',
    MTU: link.mtu,
    MinimumMTU: 68,
    MaximumMTU: maxMtu(section, link),
    HardwareAddress: macBytes(link.mac),
    ...(nic === undefined ? {} : { PermanentHardwareAddress: macBytes(nic.mac) }),
    BroadcastAddress: [255, 255, 255, 255, 255, 255],
    ...(addresses.some(({ scope }) => scope === 'link')
      ? { IPv6LinkLocalAddress: addressBytes(eui64('fe80::/64', link.mac)) }
      : {}),
    AdministrativeState: state.setup,
    OperationalState: state.operational,
    CarrierState: state.carrier,
    AddressState: state.address,
    IPv4AddressState: state.ipv4,
    IPv6AddressState: state.ipv6,
    OnlineState: state.online,
    ...(network === undefined
      ? {}
      : {
          NetworkFile: network.file,
          NetworkFileDropins: [],
          RequiredForOnline: network.required,
          RequiredOperationalStateForOnline: ['degraded', 'routable'],
          RequiredFamilyForOnline: network.family === 'any' ? 'any' : network.family,
          ActivationPolicy: 'up',
        }),
    ...(link.link_file === undefined ? {} : { LinkFile: link.link_file }),
    ...(nic === undefined ? {} : { Path: `pci-${nic.bus_address}` }),
    ...(addresses.length === 0
      ? {}
      : {
          Addresses: addresses.map(({ family, address, length, scope, source }) => ({
            Family: family === 4 ? 2 : 10,
            Address: addressBytes(address),
            PrefixLength: length,
            Scope: scope === 'global' ? 0 : scope === 'link' ? 253 : 254,
            ScopeString: scope,
            Flags: 128,
            FlagsString: 'permanent',
            ConfigSource: source,
            ConfigState: 'configured',
          })),
        }),
  };
}

function typeOf(link: Link): string {
  if (
    link.kind === 'loopback' ||
    link.kind === 'bridge' ||
    link.kind === 'wireguard' ||
    link.kind === 'bond' ||
    link.kind === 'vlan'
  )
    return link.kind;
  return 'ether';
}

function table(section: Readonly<NetworkSection>, links: readonly Link[]): string {
  const rows = links.map((link) => {
    const { operational, setup } = stateOf(section, link);
    return [
      String(link.index).padStart(3),
      link.name.padEnd(16),
      typeOf(link).padEnd(9),
      operational.padEnd(16),
      setup,
    ];
  });
  const lines = [
    ['IDX', 'LINK'.padEnd(16), 'TYPE'.padEnd(9), 'OPERATIONAL'.padEnd(16), 'SETUP'],
    ...rows,
  ].map((row) => row.join(' '));
  return `${lines.join('\n')}\n\n${links.length} links listed.\n`;
}

function lldpTable(section: Readonly<NetworkSection>): string {
  const rows = section.links.filter((link) => heardBy(section, link).length > 0);
  const { chassis_id, name } = section.lan.neighbour;
  const lines = rows.map((link) => `${link.name.padEnd(16)} ${chassis_id} ${name}`);
  return `${['LINK'.padEnd(16) + ' CHASSIS-ID        SYSTEM-NAME', ...lines].join('\n')}\n\n${rows.length} neighbor(s) listed.\n`;
}
