import type { EmulatedMachine } from './machine/emulated-machine.ts';

/** A way to change or show the machine from outside, offered by `npm run machine`. */
export interface Command {
  /** Its words, such as `drive add`. */
  readonly name: string;
  readonly summary: string;
  /** Positional arguments in commander's notation, such as `<id>` or `<state>`. */
  readonly args: readonly { readonly name: string; readonly summary: string }[];
  /** Options in commander's notation, such as `--size <size>`. */
  readonly options?: readonly {
    readonly flags: string;
    readonly summary: string;
    readonly required?: boolean;
  }[];
  /**
   * Does it.
   * @returns a sentence for the person who asked.
   * @throws Error with a sentence saying what is wrong with the arguments.
   */
  readonly run: (
    machine: EmulatedMachine,
    args: readonly string[],
    options: Readonly<Record<string, string | boolean>>,
  ) => Promise<string>;
}
