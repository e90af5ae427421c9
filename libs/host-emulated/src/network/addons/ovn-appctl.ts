/** ovn-appctl(8): asks the controller to end. */
import { findUnit, statusOf, stopUnit } from '../../system/units.ts';
import { failure, type Tool } from '../../tools/tool.ts';
import { addonUnits } from './units.ts';

const controller = 'ovn-controller.service';

export const ovnAppctl: Tool = async ({ args, machine, files }) => {
  const [flag, target, command, ...options] = args;
  if (flag !== '-t' || target !== 'ovn-controller' || command === undefined)
    return failure('ovn-appctl: at least one non-option argument is required (use --help for help)');
  if (statusOf(machine, controller).active !== 'active') {
    return failure(
      'ovn-appctl: cannot read pidfile "/var/run/ovn/ovn-controller.pid" (No such file or directory)',
    );
  }
  switch (command) {
    case 'connection-status':
      return options.length === 0
        ? { stdout: 'connected\n' }
        : failure(
            '"connection-status" command takes at most 0 arguments\novn-appctl: ovn-controller: server returned an error',
            2,
          );
    case 'exit': {
      if (options.some((option) => option !== '--restart')) {
        return failure('ovn-appctl: ovn-controller: server returned an error', 2);
      }
      const units = new Map(addonUnits.map((unit) => [unit.name, unit]));
      const unit = await findUnit(units, controller, files);
      if (unit !== undefined) await stopUnit(unit, { machine, files });
      return {};
    }
    default:
      return failure(
        `"${command}" is not a valid command (use "list-commands" to see a list of valid commands)\novn-appctl: ovn-controller: server returned an error`,
        2,
      );
  }
};
