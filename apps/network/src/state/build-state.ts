/** The state of the network as the API shows it, from what was configured and what the machine says. */
import {
  SystemNetworkInterfaceState,
  type SystemNetworkConfig,
  type SystemNetworkLLDPState,
} from '@incusos/contracts/network';
import { cardMacs } from '../config/hardware-addresses.ts';
import { bondName, hostName, physicalName } from '../render/device-names.ts';
import type { Counters } from './counters.ts';
import { cardsOf, type NetworkCard, type Route } from './ip.ts';
import type { Moving } from './moving.ts';
import type { Readings } from './readings.ts';
import { addDefaultRoles } from './roles.ts';

export type InterfaceStates = Record<string, SystemNetworkInterfaceState>;

export interface StateSources {
  readonly config: SystemNetworkConfig | undefined;
  readonly readings: Readings;
  readonly moving: Moving;
  /** Names that cards had before they were renamed, by MAC. */
  readonly cardNames: Readonly<Record<string, string>>;
}

/** What carries a device's addresses, and what carries its frames. */
interface Device {
  readonly name: string;
  readonly type: string;
  /** The card or bond below; absent for a tunnel. */
  readonly below?: string | undefined;
}

/** States of a card in which nothing that is above it reaches anyone. */
const deadStates: ReadonlySet<string> = new Set(['missing', 'off', 'no-carrier', 'dormant']);

export function buildState({ config, readings, moving, cardNames }: StateSources): InterfaceStates {
  const states: InterfaceStates = {};
  const routes = Map.groupBy(readings.routes, ({ dev }) => dev);
  const show = (device: Device): SystemNetworkInterfaceState =>
    deviceState(device, readings, routes.get(device.name) ?? [], moving.counters.get(device.name));
  for (const { name, hwaddr, roles } of config?.interfaces ?? []) {
    const card = physicalName(hwaddr);
    states[name] = {
      ...show({ name: hostName(name), type: 'interface', below: card }),
      lldp: neighboursOf(moving, card),
      roles: [...roles],
    };
  }
  for (const { name, members, roles } of config?.bonds ?? []) {
    states[name] = {
      ...show({ name: hostName(name), type: 'bond', below: bondName(name) }),
      roles: [...roles],
      members: membersOf(members, show, moving),
    };
  }
  for (const { name, parent, roles } of config?.vlans ?? []) {
    states[name] = { ...show({ name, type: 'vlan', below: belowParent(parent, config) }), roles: [...roles] };
  }
  for (const { name, roles } of config?.wireguard ?? []) {
    states[name] = {
      ...show({ name, type: 'wireguard' }),
      roles: [...roles],
      wireguard: moving.tunnels.get(name),
    };
  }
  for (const { name, mac } of unusedCards(config, readings)) {
    const known = name.startsWith('_') ? (cardNames[mac] ?? name) : name;
    states[known in states ? name : known] ??= show({ name, type: 'physical', below: name });
  }
  addDefaultRoles(states);
  return states;
}

function deviceState(
  { name, type, below }: Device,
  readings: Readings,
  routes: readonly Route[],
  traffic: Counters | undefined,
): SystemNetworkInterfaceState {
  const link = readings.links.get(name);
  const speed = below === undefined ? undefined : readings.speeds.get(below);
  return SystemNetworkInterfaceState.create({
    type,
    state: stateOf(readings, name, below),
    addresses:
      link?.addresses
        .filter(({ scope }) => scope !== 'link' && scope !== 'host')
        .map(({ address }) => address) ?? [],
    routes: routes.map(({ to, via }) => ({ to, via })),
    ...(link === undefined ? {} : { hwaddr: link.mac, mtu: link.mtu }),
    speed: speed === undefined ? 'unknown' : String(speed),
    stats: {
      rx_bytes: traffic?.rxBytes ?? 0n,
      rx_errors: traffic?.rxErrors ?? 0n,
      tx_bytes: traffic?.txBytes ?? 0n,
      tx_errors: traffic?.txErrors ?? 0n,
    },
  });
}

/** A device of our own has a carrier by its bridge; whether anyone is reached by it is for what is below to say. */
function stateOf(readings: Readings, name: string, below: string | undefined): string {
  // networkctl(1) calls a link that isn't there so.
  const of = (device: string): string => readings.statuses.get(device)?.operational ?? 'missing';
  const own = of(name);
  if (below === undefined || own === 'missing') return own;
  const carrier = of(below);
  return deadStates.has(carrier) ? carrier : own;
}

function membersOf(
  members: readonly string[],
  show: (device: Device) => SystemNetworkInterfaceState,
  moving: Moving,
): InterfaceStates {
  return Object.fromEntries(
    members.map((mac) => {
      const name = physicalName(mac);
      const ends = moving.lacp.get(name);
      const lacp = ends === undefined ? undefined : { local_mac: ends.local, remote_mac: ends.remote };
      return [
        name,
        { ...show({ name, type: 'bond_member', below: name }), lldp: neighboursOf(moving, name), lacp },
      ];
    }),
  );
}

function neighboursOf(moving: Moving, card: string): SystemNetworkLLDPState[] {
  return (moving.neighbours.get(card) ?? []).map(({ chassisId, name, portId, port }) => ({
    chassis_id: chassisId,
    name,
    port_id: portId,
    ...(port === '' ? {} : { port }),
  }));
}

/** The card of an interface, or the device of a bond. */
function belowParent(parent: string, config: SystemNetworkConfig | undefined): string | undefined {
  const hwaddr = config?.interfaces.find(({ name }) => name === parent)?.hwaddr;
  if (hwaddr !== undefined) return physicalName(hwaddr);
  return config?.bonds.some(({ name }) => name === parent) === true ? bondName(parent) : undefined;
}

/** Cards that nothing is configured on; also those that still have the name that an earlier configuration gave them. */
function unusedCards(config: SystemNetworkConfig | undefined, readings: Readings): NetworkCard[] {
  const used = new Set(config === undefined ? [] : cardMacs(config));
  return cardsOf([...readings.links.values()]).filter(({ mac }) => !used.has(mac));
}
