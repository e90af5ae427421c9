/** The state of the network as the API shows it, from what was configured and what the machine says. */
import {
  SystemNetworkInterfaceState,
  type SystemNetworkBond,
  type SystemNetworkConfig,
  type SystemNetworkLLDPState,
} from '@incusos/contracts/network';
import { cardMacs } from '../config/hardware-addresses.ts';
import { bondName, hostName, physicalName } from '../render/device-names.ts';
import type { Counters } from './counters.ts';
import { cardsOf, type NetworkCard } from './ip.ts';
import type { Readings } from './readings.ts';
import { addDefaultRoles } from './roles.ts';

export type InterfaceStates = Record<string, SystemNetworkInterfaceState>;

export interface StateSources {
  readonly config: SystemNetworkConfig | undefined;
  readonly readings: Readings;
  readonly counters: ReadonlyMap<string, Counters>;
  /** Names that cards had before they were renamed, by MAC. */
  readonly cardNames: Readonly<Record<string, string>>;
}

export function buildState({ config, readings, counters, cardNames }: StateSources): InterfaceStates {
  const states: InterfaceStates = {};
  const show = (device: string, type: string, card: string | undefined): SystemNetworkInterfaceState =>
    deviceState(readings, counters, device, type, card);
  for (const { name, hwaddr, roles } of config?.interfaces ?? []) {
    const card = physicalName(hwaddr);
    states[name] = {
      ...show(hostName(name), 'interface', card),
      lldp: neighboursOf(readings, card),
      roles: [...roles],
    };
  }
  for (const bond of config?.bonds ?? []) {
    const [first = ''] = bond.members;
    states[bond.name] = {
      ...show(hostName(bond.name), 'bond', physicalName(first)),
      roles: [...bond.roles],
      members: membersOf(bond, show, readings),
    };
  }
  for (const { name, parent, roles } of config?.vlans ?? []) {
    states[name] = { ...show(name, 'vlan', cardBelow(parent, config)), roles: [...roles] };
  }
  for (const { name, mac } of unusedCards(config, readings)) {
    const known = name.startsWith('_') ? (cardNames[mac] ?? name) : name;
    states[known in states ? name : known] ??= show(name, 'physical', name);
  }
  addDefaultRoles(states);
  return states;
}

function deviceState(
  readings: Readings,
  counters: ReadonlyMap<string, Counters>,
  device: string,
  type: string,
  card: string | undefined,
): SystemNetworkInterfaceState {
  const link = readings.links.get(device);
  const traffic = counters.get(device);
  const speed = card === undefined ? undefined : readings.speeds.get(card);
  return SystemNetworkInterfaceState.create({
    type,
    // networkctl(1) calls a link that isn't there so.
    state: readings.statuses.get(device)?.operational ?? 'missing',
    addresses:
      link?.addresses
        .filter(({ scope }) => scope !== 'link' && scope !== 'host')
        .map(({ address }) => address) ?? [],
    routes: readings.routes.filter(({ dev }) => dev === device).map(({ to, via }) => ({ to, via })),
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

function membersOf(
  { name: bond, members }: SystemNetworkBond,
  show: (device: string, type: string, card: string | undefined) => SystemNetworkInterfaceState,
  readings: Readings,
): InterfaceStates {
  const partner = readings.links.get(bondName(bond))?.partnerMac;
  return Object.fromEntries(
    members.map((mac) => {
      const name = physicalName(mac);
      const lacp = partner === undefined ? undefined : { local_mac: mac.toLowerCase(), remote_mac: partner };
      return [name, { ...show(name, 'bond_member', name), lldp: neighboursOf(readings, name), lacp }];
    }),
  );
}

function neighboursOf(readings: Readings, card: string): SystemNetworkLLDPState[] {
  return (readings.neighbours.get(card) ?? []).map(({ chassisId, name, portId, port }) => ({
    chassis_id: chassisId,
    name,
    port_id: portId,
    ...(port === '' ? {} : { port }),
  }));
}

function cardBelow(parent: string, config: SystemNetworkConfig | undefined): string | undefined {
  const mac =
    config?.interfaces.find(({ name }) => name === parent)?.hwaddr ??
    config?.bonds.find(({ name }) => name === parent)?.members[0];
  return mac === undefined ? undefined : physicalName(mac);
}

/** Cards that nothing is configured on; also those that still have the name that an earlier configuration gave them. */
function unusedCards(config: SystemNetworkConfig | undefined, readings: Readings): NetworkCard[] {
  const used = new Set(config === undefined ? [] : cardMacs(config));
  return cardsOf([...readings.links.values()]).filter(({ mac }) => !used.has(mac));
}
