import type { EmulatedMachine } from '../machine/emulated-machine.ts';

/**
 * What the operating system asks of the power supply. Whoever runs the services stops them in order and then does
 * it; until then the machine is on.
 */
export function requestPower(
  machine: EmulatedMachine,
  verb: 'reboot' | 'poweroff' | 'suspend',
): Promise<void> {
  const state = { reboot: 'rebooting', poweroff: 'powering-off', suspend: 'suspended' } as const;
  return machine.change(({ system }) => {
    system.power.state = state[verb];
  });
}
