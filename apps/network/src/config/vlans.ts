/** Rules for vlans (22 to 24). */
import type { SystemNetworkConfig, SystemNetworkVLAN } from '@incusos/contracts/network';
import { checkDevice } from './device.ts';
import { at, type Place, type Violation } from './violation.ts';

export function* checkVlan(
  vlan: SystemNetworkVLAN,
  config: SystemNetworkConfig,
  place: Place,
): Generator<Violation> {
  yield* checkDevice(vlan, place);
  const { id, parent } = vlan;
  if (id < 0 || id > 4094) yield at(place, 'id', `ID ${id} out of range`);
  if (parent === '') yield at(place, 'parent', 'has no parent');
  else if (![...config.interfaces, ...config.bonds].some(({ name }) => name === parent)) {
    yield at(place, 'parent', `unable to find parent '${parent}'`);
  }
}
