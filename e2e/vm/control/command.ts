import type { Machine } from '../machine.ts';

/**
 * A way to change or show a virtual machine from a second terminal. Where the emulated machine has the same
 * (`npm run machine`), it has the same words and arguments, so that tests drive both with one vocabulary.
 */
export interface ControlCommand {
  /** Its words, such as `drive add`. */
  readonly name: string;
  readonly summary: string;
  /** Positional arguments in commander's notation. */
  readonly args: readonly { readonly name: string; readonly summary: string }[];
  /** Options in commander's notation. */
  readonly options?: readonly { readonly flags: string; readonly summary: string }[];
  /** Whether it makes sense only while a process runs the machine. */
  readonly needsOwner?: boolean;
  /** Whether it runs one of the tools. */
  readonly needsTools?: boolean;
  /**
   * Does it, in the process that has the machine.
   * @returns what the person who asked reads.
   * @throws Error with a sentence saying what is wrong.
   */
  readonly run: (
    machine: Machine,
    args: readonly string[],
    options: Readonly<Record<string, string | boolean>>,
  ) => Promise<string>;
}

/** What a client of the control socket sends: one JSON object, ended by a newline. */
export interface ControlRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly options: Readonly<Record<string, string | boolean>>;
}

/** What it gets: the text for the person, or why not. */
export type ControlAnswer = { readonly text: string } | { readonly error: string };

/** The control socket of the machine in a directory. */
export const controlSocket = 'ctl.sock';
