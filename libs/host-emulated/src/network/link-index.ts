/**
 * Finds links fast, on machines with hundreds of them.
 *
 * Invariant: only a section that nobody changes any more has an index; one that is being changed is searched.
 */
import type { Link, NetworkSection, Nic } from './section.ts';

export interface LinkIndex {
  readonly byName: ReadonlyMap<string, Link>;
  readonly byIndex: ReadonlyMap<number, Link>;
  /** By the index of their bridge or bond. */
  readonly ports: ReadonlyMap<number | undefined, readonly Link[]>;
  readonly nics: ReadonlyMap<string, Nic>;
  /** What was found out so far, by the index of the link. */
  readonly carriers: Map<number, boolean>;
  readonly waysOut: Map<number, Nic | undefined>;
}

const indices = new WeakMap<Readonly<NetworkSection>, LinkIndex | 'later'>();

/** Says that a section is as it is for good. */
export function keepIndex(section: Readonly<NetworkSection>): void {
  indices.set(section, 'later');
}

export function linkIndexOf(section: Readonly<NetworkSection>): LinkIndex | undefined {
  const known = indices.get(section);
  if (known !== 'later') return known;
  const index: LinkIndex = {
    byName: new Map(section.links.toReversed().map((link) => [link.name, link])),
    byIndex: new Map(section.links.map((link) => [link.index, link])),
    ports: Map.groupBy(section.links, ({ master }) => master),
    nics: new Map(section.nics.map((nic) => [nic.mac, nic])),
    carriers: new Map(),
    waysOut: new Map(),
  };
  indices.set(section, index);
  return index;
}
