/** All devices of a configuration in one list, each with what its messages and field paths begin with. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Device } from './device.ts';
import type { Place } from './violation.ts';

export const kinds = [
  ['interface', 'interfaces'],
  ['bond', 'bonds'],
  ['vlan', 'vlans'],
  ['wireguard', 'wireguard'],
] as const;

export type Kind = (typeof kinds)[number][0];

export interface PlacedDevice {
  readonly device: Device;
  readonly kind: Kind;
  readonly place: Place;
}

export function placeOf(kind: string, list: string, index: number): Place {
  return { field: `config.${list}[${index}]`, prefix: `${kind} ${index} ` };
}

export function devicesOf(config: SystemNetworkConfig): PlacedDevice[] {
  return kinds.flatMap(([kind, list]) =>
    config[list].map((device: Device, index) => ({ device, kind, place: placeOf(kind, list, index) })),
  );
}
