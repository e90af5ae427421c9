/** The pieces that a change of the network is made of, so that each capability brings its own. */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import type { LinkDetails } from '../state/ip.ts';
import type { Plan } from './plan.ts';

/** What the steps of one change work on. */
export interface Change {
  readonly host: Host;
  /** Valid, with MACs in the place of names. */
  readonly config: SystemNetworkConfig;
  /** The links of the machine before the change. */
  readonly links: readonly LinkDetails[];
  /** What networkd's and udev's files lack. */
  readonly plan: Plan;
  /** All of networkd's and udev's files, by name. */
  readonly files: ReadonlyMap<string, string>;
  /** Someone who was interrupted may have written files that nobody read yet: everything is looked at again. */
  readonly unread: boolean;
  /** Names of devices that this change deleted and that networkd makes anew. */
  readonly remade: Set<string>;
  readonly patience: Patience;
}

/** How long a change may take; without limits nothing is waited for. */
export interface Patience {
  /** Milliseconds that the network may take to come up once everything is set. */
  readonly onlineMs?: number;
  /** Whether to go on with the other steps when one failed: a machine has to have whatever network it can have. */
  readonly persevere?: boolean;
  /** Whether to go on even without what guards it, because waiting for that would be in vain. */
  readonly unguarded?: boolean;
  /** When the whole has to be done, on the clock of `performance.now()`, which a synchronized time doesn't move. */
  readonly deadline?: number | undefined;
}

/**
 * One thing that a change does to the machine.
 *
 * Invariants: it leaves alone what is as wanted already; it can be repeated after it was interrupted anywhere; given
 * the previous configuration it takes back what it did for the new one.
 */
export interface Step {
  /** What it does, in a few words that follow "could not", such as `set the time zone`. */
  readonly name: string;
  /**
   * The files that it leaves outside of networkd's directory, by path, with `undefined` for one that it removes: what a
   * plan says about it. Nothing may be changed here.
   */
  readonly files?: (
    change: Pick<Change, 'host' | 'config'>,
  ) => Promise<ReadonlyMap<string, string | undefined>>;
  /**
   * Asks the machine whether it would do it; changes nothing.
   * @throws what `run` would.
   */
  readonly check?: (change: Change) => Promise<void>;
  /** Whether there is no sense in it when another one failed. */
  readonly onlyAfterSuccess?: boolean;
  /** Whether the others would open the machine to something without it. */
  readonly guards?: boolean;
  /** @throws ProgramError and others when the machine didn't do as it was told. */
  readonly run: (change: Change) => Promise<void>;
}
