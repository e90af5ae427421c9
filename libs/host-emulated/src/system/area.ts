/** Identity, power, kernel and service manager of the machine. */
import type { Area } from '../area.ts';
import { baseUnits } from './base-units.ts';
import { powerCommands } from './power.ts';
import { systemctl } from './systemctl.ts';

/** @param areas all areas of the machine: the power switch and the service manager act on each. */
export function systemArea(areas: () => readonly Area[]): Area {
  return {
    name: 'system',
    tools: { systemctl: systemctl(() => areas().flatMap((area) => area.units ?? [])) },
    units: baseUnits,
    populate: () => Promise.resolve(),
    powerOff: () => Promise.resolve(),
    commands: powerCommands(areas),
  };
}
