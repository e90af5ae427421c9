/**
 * The two ends of the links of an 802.3ad bond, from `/proc/net/bonding/<bond>` (Linux, bond_procfs.c). The kernel
 * announces no change of a partner.
 */

export interface LacpEnds {
  /** MAC of the bond as a system, lower case. */
  readonly local: string;
  /** MAC of the system at the other end; zeros while nobody answers. */
  readonly remote: string;
}

/** By the name of the member; empty for a bond that doesn't speak LACP. */
export function parseBonding(content: string): Map<string, LacpEnds> {
  const ends = new Map<string, LacpEnds>();
  const [, ...members] = content.split(/^Slave Interface: /mu);
  for (const member of members) {
    const name = /^\S+/u.exec(member)?.[0];
    const local = systemMac(member, 'actor');
    const remote = systemMac(member, 'partner');
    if (name !== undefined && local !== undefined && remote !== undefined) ends.set(name, { local, remote });
  }
  return ends;
}

function systemMac(member: string, end: 'actor' | 'partner'): string | undefined {
  const details = new RegExp(
    `^details ${end} lacp pdu:\\n(?:[ \\t].*\\n)*?[ \\t]+system mac address: (\\S+)`,
    'mu',
  );
  return details.exec(member)?.[1]?.toLowerCase();
}
