/** Which MTU each device gets. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';

const largest = 9000;
/** IPv6 needs as much (RFC 8200). */
export const smallestMtu = 1280;
const usual = 1500;

/** The largest MTU of each card by its MAC in lower case; cards that aren't there are missing. */
export type CardLimits = ReadonlyMap<string, number>;

/** A card whose driver takes too little. */
export class MtuError extends Error {
  override readonly name = 'MtuError';
}

/** What a card takes, at most as much as a configuration can ask for. */
export function cardLimit(mac: string, limits: CardLimits): number {
  const limit = limits.get(mac.toLowerCase()) ?? 0;
  // A driver without a limit says 0.
  return limit === 0 ? largest : Math.min(limit, largest);
}

/**
 * The MTU of a card and of everything below the addresses.
 * @throws MtuError when the card takes less than 1280.
 */
export function cardMtu(mac: string, limits: CardLimits): number {
  const limit = cardLimit(mac, limits);
  if (limit < smallestMtu)
    throw new MtuError(
      `network device ${mac} has a maximum MTU of ${limit}, at least ${smallestMtu} is needed`,
    );
  return limit;
}

export function bondMtu(members: readonly string[], limits: CardLimits): number {
  return Math.min(largest, ...members.map((member) => cardMtu(member, limits)));
}

/** The MTU of the addresses: as configured, within what the device takes. */
export function addressMtu(configured: number | undefined, limit: number = largest): number {
  const mtu = configured === undefined || configured === 0 ? usual : configured;
  return Math.min(mtu, limit);
}

/** The MTU of the addresses on the device of that name, for the vlans above it: the kernel gives them no larger one. */
export function parentMtu(
  { interfaces, bonds }: SystemNetworkConfig,
  parent: string,
  limits: CardLimits,
): number | undefined {
  const entry = interfaces.find(({ name }) => name === parent);
  if (entry !== undefined) return addressMtu(entry.mtu, cardLimit(entry.hwaddr, limits));
  const bond = bonds.find(({ name }) => name === parent);
  return bond === undefined
    ? undefined
    : addressMtu(bond.mtu, Math.min(...bond.members.map((member) => cardLimit(member, limits))));
}
