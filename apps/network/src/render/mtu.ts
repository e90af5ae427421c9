/** Which MTU each device gets. */

const largest = 9000;
/** IPv6 needs as much (RFC 8200). */
const smallest = 1280;
const usual = 1500;

/** The largest MTU of each card by its MAC in lower case; cards that aren't there are missing. */
export type CardLimits = ReadonlyMap<string, number>;

/** A card whose driver takes too little. */
export class MtuError extends Error {
  override readonly name = 'MtuError';
}

/**
 * The MTU of a card and of everything below the addresses.
 * @throws MtuError when the card takes less than 1280.
 */
export function cardMtu(mac: string, limits: CardLimits): number {
  const limit = limits.get(mac.toLowerCase()) ?? 0;
  // A driver without a limit says 0.
  if (limit === 0) return largest;
  if (limit < smallest)
    throw new MtuError(`network device ${mac} has a maximum MTU of ${limit}, at least ${smallest} is needed`);
  return Math.min(limit, largest);
}

export function bondMtu(members: readonly string[], limits: CardLimits): number {
  return Math.min(largest, ...members.map((member) => cardMtu(member, limits)));
}

/** The MTU of the addresses: as configured, within what the device takes. */
export function addressMtu(configured: number | undefined, limit: number = largest): number {
  const mtu = configured === undefined || configured === 0 ? usual : configured;
  return Math.min(mtu, limit);
}
