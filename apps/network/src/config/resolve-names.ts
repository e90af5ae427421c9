/** Puts MACs in the place of device names, and finds devices that aren't there before anything is changed. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { NetworkCard } from '../state/ip.ts';
import { cardLimit, smallestMtu } from '../render/mtu.ts';
import { devicesOf, placeOf } from './devices-of.ts';
import { cardMacs, isMac } from './hardware-addresses.ts';
import { at, type Violation } from './violation.ts';

/** What a name can mean: a card of the machine, or a device of the configuration in force that hides a card's name. */
export interface KnownDevices {
  readonly cards: readonly NetworkCard[];
  readonly configured: SystemNetworkConfig | undefined;
}

/** The configuration with MACs only; names that nothing has stay as they are, for the strict pass to refuse. */
export function resolveNames(config: SystemNetworkConfig, known: KnownDevices): SystemNetworkConfig {
  const resolve = (name: string): string =>
    name === '' || isMac(name) ? name : (macOf(name, known) ?? name);
  return {
    ...config,
    interfaces: config.interfaces.map((entry) => ({ ...entry, hwaddr: resolve(entry.hwaddr) })),
    bonds: config.bonds.map((bond) => ({
      ...bond,
      ...(bond.hwaddr === undefined ? {} : { hwaddr: resolve(bond.hwaddr) }),
      members: bond.members.map(resolve),
    })),
  };
}

function macOf(name: string, { cards, configured }: KnownDevices): string | undefined {
  // Once configured, the name belongs to the bridge over the card and not to the card.
  const entry = configured?.interfaces.find((one) => one.name === name);
  return entry?.hwaddr ?? cards.find((card) => card.name === name || card.otherNames.includes(name))?.mac;
}

/** A MAC that no card of the machine has would leave the device without a link; a card may take too small frames. */
export function* checkPresence(
  config: SystemNetworkConfig,
  cards: readonly NetworkCard[],
): Generator<Violation> {
  const limits = new Map(cards.map(({ mac, maxMtu }) => [mac.toLowerCase(), maxMtu]));
  const problem = (mac: string): string | undefined => {
    if (!limits.has(mac.toLowerCase())) return `no network device has MAC address '${mac}'`;
    const limit = cardLimit(mac, limits);
    return limit < smallestMtu
      ? `network device '${mac}' has a maximum MTU of ${limit}, at least ${smallestMtu} is needed`
      : undefined;
  };
  for (const [index, { hwaddr }] of config.interfaces.entries()) {
    const found = problem(hwaddr);
    if (found !== undefined) yield at(placeOf('interface', 'interfaces', index), 'hwaddr', found);
  }
  for (const [index, { members }] of config.bonds.entries()) {
    for (const [number, member] of members.entries()) {
      const found = problem(member);
      if (found !== undefined)
        yield at(placeOf('bond', 'bonds', index), `members[${number}]`, `member ${number} ${found}`);
    }
  }
}

/** The name of a card that stays as it is can't be given to another device. */
export function* checkFreeNames(
  config: SystemNetworkConfig,
  cards: readonly NetworkCard[],
): Generator<Violation> {
  const used = new Set(cardMacs(config));
  const taken = new Set(cards.filter(({ mac }) => !used.has(mac)).map(({ name }) => name));
  for (const { device, place } of devicesOf(config)) {
    const { name } = device;
    if (taken.has(name))
      yield at(
        place,
        'name',
        `name '${name}' is that of a network device which isn't part of the configuration`,
      );
  }
}
