/**
 * The kernel's network devices: making, joining and deleting them.
 *
 * Invariants: an index is never used twice while the machine is on; deleting one end of a veth pair deletes the
 * other, deleting a device deletes the vlans on top of it and frees its ports.
 */
import { randomBytes } from 'node:crypto';
import { type LinkIndex, linkIndexOf } from './link-index.ts';
import type { Link, LinkKind, NetworkSection, Nic } from './section.ts';

/** Makes a device. */
export function addLink(
  section: NetworkSection,
  link: Omit<Link, 'index' | 'created' | 'mac_assigned'> & { mac_assigned?: 0 | 3 },
): Link {
  const added: Link = {
    mac_assigned: 3,
    ...link,
    index: section.next_index,
    created: new Date().toISOString(),
  };
  section.next_index += 1;
  section.links.push(added);
  return added;
}

/** What the kernel finds when it starts: the loopback and the NICs, all down but the loopback. */
export function discoverLinks(section: NetworkSection): void {
  if (!section.links.some(({ kind }) => kind === 'loopback')) {
    addLink(section, {
      name: 'lo',
      kind: 'loopback',
      mac: '00:00:00:00:00:00',
      mac_assigned: 0,
      mtu: 65_536,
      up: true,
    });
  }
  for (const nic of section.nics) {
    if (section.links.some((link) => link.nic === nic.mac)) continue;
    addLink(section, {
      name: freeName(section, nic.name),
      kind: 'ether',
      mac: nic.mac,
      mac_assigned: 0,
      mtu: Math.min(1500, nic.max_mtu),
      up: false,
      nic: nic.mac,
    });
  }
  const present = new Set(section.nics.map(({ mac }) => mac));
  for (const link of [...section.links])
    if (link.nic !== undefined && !present.has(link.nic)) removeLink(section, link);
}

function freeName(section: NetworkSection, wanted: string): string {
  if (findLink(section, wanted) === undefined) return wanted;
  for (let number = 0; ; number += 1)
    if (findLink(section, `eth${number}`) === undefined) return `eth${number}`;
}

export function findLink(section: Readonly<NetworkSection>, name: string): Link | undefined {
  const index = linkIndexOf(section);
  return index === undefined ? section.links.find((link) => link.name === name) : index.byName.get(name);
}

export function linkByIndex(section: Readonly<NetworkSection>, index: number | undefined): Link | undefined {
  if (index === undefined) return undefined;
  const known = linkIndexOf(section);
  return known === undefined ? section.links.find((link) => link.index === index) : known.byIndex.get(index);
}

export function nicOf(section: Readonly<NetworkSection>, link: Link): Nic | undefined {
  if (link.nic === undefined) return undefined;
  const known = linkIndexOf(section);
  return known === undefined ? section.nics.find(({ mac }) => mac === link.nic) : known.nics.get(link.nic);
}

export function portsOf(section: Readonly<NetworkSection>, link: Link): readonly Link[] {
  const known = linkIndexOf(section);
  return known === undefined
    ? section.links.filter(({ master }) => master === link.index)
    : (known.ports.get(link.index) ?? []);
}

/** What was found out about a link before, while nothing can have changed. */
function remembered<V>(
  section: Readonly<NetworkSection>,
  link: Link,
  which: (index: LinkIndex) => Map<number, V>,
  find: () => V,
): V {
  const known = linkIndexOf(section);
  if (known === undefined) return find();
  const values = which(known);
  const value = values.get(link.index);
  if (value !== undefined || values.has(link.index)) return value as V;
  const found = find();
  values.set(link.index, found);
  return found;
}

/** Deletes a device with everything that can't be without it. */
export function removeLink(section: NetworkSection, link: Link): void {
  const gone = new Set<number>();
  const mark = (one: Link): void => {
    if (gone.has(one.index)) return;
    gone.add(one.index);
    const peer = linkByIndex(section, one.peer);
    if (peer !== undefined) mark(peer);
    for (const child of section.links) if (child.parent === one.index) mark(child);
  };
  mark(link);
  section.links = section.links.filter(({ index }) => !gone.has(index));
  for (const port of section.links)
    if (port.master !== undefined && gone.has(port.master)) delete port.master;
}

/** A locally administered MAC, for devices that nobody gave one. */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfc) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

/** The largest MTU that a device takes; as the drivers say it. */
export function maxMtu(section: Readonly<NetworkSection>, link: Link): number {
  if (link.kind === 'loopback' || link.kind === 'vlan') return 65_535;
  if (link.kind === 'wireguard') return 2_147_483_552;
  return nicOf(section, link)?.max_mtu ?? 65_535;
}

/** Whether the device is up and has a signal: a cable, an other end that is up, a port or a lower device with one. */
export function hasCarrier(section: Readonly<NetworkSection>, link: Link): boolean {
  return remembered(
    section,
    link,
    ({ carriers }) => carriers,
    () => findCarrier(section, link),
  );
}

function findCarrier(section: Readonly<NetworkSection>, link: Link): boolean {
  if (!link.up) return false;
  switch (link.kind) {
    case 'loopback':
    case 'wireguard':
      return true;
    case 'ether':
      return nicOf(section, link)?.link === 'up';
    case 'veth':
      return linkByIndex(section, link.peer)?.up ?? false;
    case 'vlan': {
      const parent = linkByIndex(section, link.parent);
      return parent !== undefined && hasCarrier(section, parent);
    }
    case 'bridge':
    case 'bond':
      return portsOf(section, link).some((port) => hasCarrier(section, port));
  }
}

/** The NIC with a cable through which frames of a device leave the machine, untagged. */
export function wayOut(section: Readonly<NetworkSection>, link: Link): Nic | undefined {
  return remembered(
    section,
    link,
    ({ waysOut }) => waysOut,
    () => findWayOut(section, link),
  );
}

function findWayOut(section: Readonly<NetworkSection>, link: Link): Nic | undefined {
  const seen = new Set<number>();
  const follow = (one: Link | undefined): Nic | undefined => {
    if (one === undefined || seen.has(one.index) || !hasCarrier(section, one)) return undefined;
    seen.add(one.index);
    if (one.kind === 'ether') return nicOf(section, one);
    const next = [
      ...(one.kind === 'veth' ? [linkByIndex(section, one.peer)] : []),
      ...(one.kind === 'bridge' || one.kind === 'bond' ? portsOf(section, one) : []),
      linkByIndex(section, one.master),
    ];
    for (const neighbour of next) {
      const nic = follow(neighbour);
      if (nic !== undefined) return nic;
    }
    return undefined;
  };
  return follow(link);
}

/** The name of a kind as `ip -d` and networkd show it; none for hardware. */
export function infoKind(kind: LinkKind): string | undefined {
  return kind === 'loopback' || kind === 'ether' ? undefined : kind;
}
