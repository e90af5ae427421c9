/** The power switch of the whole machine, for whoever runs services on it. */
import { areas } from './areas.ts';
import type { EmulatedMachine } from './machine/emulated-machine.ts';
import { powerOff, powerOn } from './system/power.ts';

/** Switches the machine on; one that is on is cut off first, so this is also a reset. */
export function switchOn(machine: EmulatedMachine): Promise<void> {
  return powerOn(machine, areas);
}

/** Takes the power away; nothing is stopped in order. */
export function switchOff(machine: EmulatedMachine): Promise<void> {
  return powerOff(machine, areas);
}
