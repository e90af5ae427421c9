import type { Files, Host } from '@incusos/host';
import { areas } from './areas.ts';
import { EmulatedFiles } from './emulated-files.ts';
import { EmulatedMachine } from './machine/emulated-machine.ts';
import { EmulatedPrograms } from './tools/emulated-programs.ts';

/** The host of an emulated machine. */
export function openEmulatedHost(machine: EmulatedMachine): Host {
  const tools = new Map(areas.flatMap((area) => Object.entries(area.tools)));
  const files: Files = new EmulatedFiles(machine, areas);
  return { files, programs: new EmulatedPrograms(machine, tools) };
}

/** The machine in the directory that `INCUSOS_MACHINE_DIR` names. */
export function openHost(): Promise<Host> {
  const directory = process.env['INCUSOS_MACHINE_DIR'];
  if (directory === undefined)
    throw new Error('INCUSOS_MACHINE_DIR does not say where the emulated machine is');
  return Promise.resolve(openEmulatedHost(new EmulatedMachine(directory)));
}
