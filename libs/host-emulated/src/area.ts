import type { Duplex } from 'node:stream';
import type { Command } from './command.ts';
import type { EmulatedMachine } from './machine/emulated-machine.ts';
import type { Unit } from './system/units.ts';
import type { Tool } from './tools/tool.ts';

/** A part of the machine. */
export interface Area {
  readonly name: string;
  /** Its programs by name, without a path. */
  readonly tools: Readonly<Record<string, Tool>>;
  /** Its units of the service manager, in the order in which they start at boot. */
  readonly units?: readonly Unit[];
  /**
   * Writes the files that firmware, kernel and udev would provide (`/sys`, `/proc`, `/dev/disk/by-id`, …) so that
   * they match the description. Called at power-on and after the hardware changed; may run again at any time.
   */
  readonly populate: (machine: EmulatedMachine) => Promise<void>;
  /** Files below `/proc` and `/sys` whose content is made at each read. */
  readonly liveFiles?: Readonly<Record<string, (machine: EmulatedMachine) => string | Promise<string>>>;
  /** The same for every file of a directory, by its name; `undefined` for one that isn't there. */
  readonly liveDirectories?: Readonly<
    Record<string, (machine: EmulatedMachine, name: string) => string | undefined>
  >;
  /** Unix sockets of daemons, by path, with what answers a connection to them; it throws while the daemon isn't there. */
  readonly sockets?: Readonly<Record<string, (machine: EmulatedMachine, connection: Duplex) => void>>;
  /** Refuses, by throwing an error with an errno as `code`, what the kernel would not take for one of its files. */
  readonly beforeWrite?: (machine: EmulatedMachine, path: string, data: string) => Promise<void>;
  /** What the kernel does after one of its files was written in place. */
  readonly onWrite?: (machine: EmulatedMachine, path: string, data: string) => Promise<void>;
  /** What a power cut does to what the operating system held in memory (mounts, imported pools, addresses). */
  readonly powerOff: (machine: EmulatedMachine) => Promise<void>;
  /** Commands that change the hardware from outside, such as `drive add`. */
  readonly commands: readonly Command[];
}
