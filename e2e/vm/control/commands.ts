import type { ControlCommand } from './command.ts';
import { driveCommands } from './drive-commands.ts';
import { machineCommands } from './machine-commands.ts';
import { nicCommands } from './nic-commands.ts';

/** All that can be done from a second terminal. */
export const controlCommands: readonly ControlCommand[] = [
  ...machineCommands,
  ...driveCommands,
  ...nicCommands,
];
