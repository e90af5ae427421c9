/**
 * The power switch.
 *
 * Invariants: whatever the operating system held in memory is gone after {@link powerOff}, orderly or not; files
 * stay. A machine says that it is on once every area was populated and the units of the boot have started.
 */
import { randomUUID } from 'node:crypto';
import type { Area } from '../area.ts';
import type { Command } from '../command.ts';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { bootOs } from './installed-os.ts';
import { startBootUnits, unitsByName } from './units.ts';

/** Holds the sockets of the services, which belong to whoever runs them. */
const keptInRun = 'incus-os';

/** Switches the machine on: memory is empty, the kernel shows its hardware, units start. One that is on is cut off first. */
export async function powerOn(machine: EmulatedMachine, areas: readonly Area[]): Promise<void> {
  if (machine.read().system.power.state !== 'off') await powerOff(machine, areas);
  await machine.change(({ system }) => {
    const boots = system.power.boots + 1;
    system.power = { state: 'off', boot_id: randomUUID(), booted_at: new Date().toISOString(), boots };
  });
  await bootOs(machine);
  for (const area of areas) await area.populate(machine);
  const units = unitsByName(areas.flatMap((area) => area.units ?? []));
  await startBootUnits(units, { machine, files: machine.files });
  await machine.change(({ system }) => {
    system.power.state = 'on';
  });
}

/** Takes the power away. Nothing is stopped in order; that is for `systemctl poweroff` and its supervisor to do before. */
export async function powerOff(machine: EmulatedMachine, areas: readonly Area[]): Promise<void> {
  for (const area of areas) await area.powerOff(machine);
  await machine.change(({ system }) => {
    system.power.state = 'off';
    system.units = {};
    system.next_pid = 310;
  });
  for (const name of await machine.files.list('/run')) {
    if (name !== keptInRun) await machine.files.remove(`/run/${name}`);
  }
}

/** `power cut` and `power on`. */
export function powerCommands(areas: () => readonly Area[]): readonly Command[] {
  return [
    {
      name: 'power cut',
      summary: 'takes the power away at once, as pulling the plug does',
      args: [],
      run: async (machine) => {
        if (machine.read().system.power.state === 'off') throw new Error('the machine is off already');
        await powerOff(machine, areas());
        return 'the machine is off';
      },
    },
    {
      name: 'power on',
      summary: 'switches the machine on, or wakes it when it is suspended',
      args: [],
      run: async (machine) => {
        const { state } = machine.read().system.power;
        if (state === 'suspended') {
          await machine.change(({ system }) => {
            system.power.state = 'on';
          });
          return 'the machine is awake';
        }
        if (state !== 'off') throw new Error('the machine is on already');
        await powerOn(machine, areas());
        return 'the machine is on';
      },
    },
  ];
}
