/** The machine under test, as its hardware is changed from outside and its system looked into from inside. */
import { EmulatedMachine } from './emulated-machine.ts';
import { VirtualMachine } from './virtual-machine.ts';

/** Which machine a test run has; a plain object, since it crosses from vitest's setup into its workers. */
export interface MachineUnderTest {
  readonly kind: 'emulated' | 'virtual';
  /** What `npm start` or `npm run vm` got as `--dir`. */
  readonly directory: string;
}

export interface Machine extends MachineUnderTest {
  /** The directory of the authorities whose releases the machine trusts, with their keys. */
  readonly authorities: string;
  /** Where the machine reaches servers that listen on loopback of this computer. */
  readonly hostAddress: string;
  /**
   * Changes the hardware.
   * @param words of `npm run machine`, which `npm run vm -- ctl` understands as well.
   */
  hardware(...words: string[]): Promise<string>;
  /** The names in a directory of the running system, sorted; none where there is no directory. */
  list(path: string): Promise<string[]>;
  readText(path: string): Promise<string>;
  writeText(path: string, text: string): Promise<void>;
  /** Kills a service, the gateway or `valkey` without any warning. @throws Error when it doesn't run. */
  kill(service: string): Promise<void>;
  /** Leaves no space on the disk of a directory until {@link freeDisk}. */
  fillDisk(directory: string): Promise<void>;
  freeDisk(directory: string): Promise<void>;
}

export function openMachine({ kind, directory }: MachineUnderTest): Machine {
  return kind === 'emulated' ? new EmulatedMachine(directory) : new VirtualMachine(directory);
}
