/** Rules for vlans (22 to 24). */
import type { SystemNetworkConfig, SystemNetworkVLAN } from '@incusos/contracts/network';
import { checkDevice } from './device.ts';
import { at, type Place, type Violation } from './violation.ts';

/** The names that a vlan can be on; never another vlan's, nor a tunnel's. */
export function parentsOf({ interfaces, bonds }: SystemNetworkConfig): Set<string> {
  return new Set([...interfaces, ...bonds].map(({ name }) => name));
}

export function* checkVlan(
  vlan: SystemNetworkVLAN,
  parents: ReadonlySet<string>,
  place: Place,
): Generator<Violation> {
  yield* checkDevice(vlan, place);
  const { id, parent } = vlan;
  if (id < 0 || id > 4094) yield at(place, 'id', `ID ${id} out of range`);
  if (parent === '') yield at(place, 'parent', 'has no parent');
  else if (!parents.has(parent)) yield at(place, 'parent', `unable to find parent '${parent}'`);
}

/** The kernel makes one vlan of an id on a device. */
export function* checkUniqueIds({ vlans }: SystemNetworkConfig): Generator<Violation> {
  const names = new Map<string, string>();
  for (const [index, { id, name, parent }] of vlans.entries()) {
    const key = `${id} ${parent}`;
    const other = names.get(key);
    names.set(key, other ?? name);
    if (other === undefined) continue;
    yield {
      field: `config.vlans[${index}].id`,
      message: `vlan ${index} ID ${id} is already used by vlan '${other}' on parent '${parent}'`,
    };
  }
}
