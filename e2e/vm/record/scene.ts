/**
 * What is recorded of the real programs. A scene is a course of steps that a real machine and the emulated one can both
 * go through; every program gets the arguments that our services give it.
 */

export type Argv = readonly [string, ...string[]];

export type Step =
  /** A program, to its end. */
  | { readonly run: Argv; readonly stdin?: string }
  /** A program that goes on until the step that stops it, with the same arguments. */
  | { readonly start: Argv }
  | { readonly stop: Argv }
  /** A file that the scene needs; what it holds is text, or base64 where that says so. */
  | { readonly write: string; readonly text: string; readonly base64?: true }
  /** A file of the kernel's or of firmware's. */
  | { readonly read: string; readonly binary?: true }
  /** A drive, by its serial number, is pulled out or plugged in. */
  | { readonly unplug: string }
  | { readonly plug: string }
  /** Seconds pass: some programs only begin what they were asked for. */
  | { readonly pass: number }
  /** For the shell of the real machine only: brings about what the emulated machine knows otherwise, or not at all. */
  | { readonly real: string };

export interface Scene {
  /** Its file below `libs/host-emulated/samples`, such as `storage/mirror`. */
  readonly name: string;
  /** What happens in it. */
  readonly about: string;
  readonly steps: readonly Step[];
  /** Run in the shell before anything is recorded. */
  readonly prepare?: string;
  /** Run in the shell afterwards, so that the next scene finds the machine as this one did. */
  readonly cleanUp?: string;
}

function words(line: string): Argv {
  const [program = '', ...args] = line.split(' ');
  return [program, ...args];
}

/** A command line without quotes: arguments have no spaces in them. */
export function run(line: string, stdin?: string): Step {
  return stdin === undefined ? { run: words(line) } : { run: words(line), stdin };
}

export function start(line: string): Step {
  return { start: words(line) };
}

export function stop(line: string): Step {
  return { stop: words(line) };
}

/** The name below `/dev/disk/by-id` of a drive on the SCSI controller. */
export function disk(serial: string): string {
  return `/dev/disk/by-id/scsi-0QEMU_QEMU_HARDDISK_${serial}`;
}
