/**
 * The description of an emulated machine: `machine.json` in its directory. Each area of the hardware and of the
 * operating system's own state has a section, kept by the folder of that name.
 */
import type { NetworkSection } from '../network/section.ts';
import type { SecuritySection } from '../security/section.ts';
import type { StorageSection } from '../storage/section.ts';
import type { SystemSection } from '../system/section.ts';

export interface Machine {
  readonly format: 1;
  system: SystemSection;
  network: NetworkSection;
  storage: StorageSection;
  security: SecuritySection;
  /** Faults that were asked for. */
  faults: MachineFaults;
}

export interface MachineFaults {
  /** Directories of the appliance in which every write fails with ENOSPC. */
  full_directories: string[];
}
