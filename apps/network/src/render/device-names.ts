/**
 * The devices behind each configured one: a VLAN-aware bridge of its name, where applications attach, and a veth pair
 * whose host end carries the addresses.
 */

export function compactMac(mac: string): string {
  return mac.toLowerCase().replaceAll(':', '');
}

/** The card: a port of the bridge, or a member of a bond. */
export function physicalName(mac: string): string {
  return `_p${compactMac(mac)}`;
}

export function bondName(name: string): string {
  return `_b${name}`;
}

/** The end of the veth pair that carries addresses. */
export function hostName(name: string): string {
  return `_v${name}`;
}

/** The end of the veth pair that is a port of the bridge. */
export function portName(mac: string): string {
  return `_i${compactMac(mac)}`;
}

/** The address of a bond: its own, else its first member's. */
export function bondMac(bond: {
  readonly hwaddr?: string | undefined;
  readonly members: readonly string[];
}): string {
  return bond.hwaddr === undefined || bond.hwaddr === '' ? (bond.members[0] ?? '') : bond.hwaddr;
}
