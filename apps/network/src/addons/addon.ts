import type { NetworkAddons } from '../network-state.ts';
import type { Violations } from '../config/violation.ts';

export type AddonName = keyof NetworkAddons;

/**
 * What is special about one add-on service; {@link AddonRunner} decides when which of it happens.
 *
 * Everything that changes the machine can be repeated, also after it was interrupted anywhere.
 */
export interface Addon<Config> {
  /** What the request alone can get wrong. */
  check(config: Config): Violations;
  /**
   * What the machine needs for it; asked before anything is changed, and only of an enabled configuration.
   * @throws DomainError `PRECONDITION_FAILED` with a sentence that says what is missing.
   */
  prepare(config: Config): Promise<void>;
  /** Starts what isn't running, of a configuration that was made before: at boot, and when this process starts again. */
  start(config: Config): Promise<void>;
  /** Makes the machine as the enabled configuration says. */
  apply(config: Config): Promise<void>;
  /** Stops all of it, and removes what was made for it. */
  stop(): Promise<void>;
  /** Whether something of it was started since the machine booted and not stopped. */
  started(): Promise<boolean>;
  /** Follows what changed on the machine since, such as its addresses. */
  follow?(config: Config): Promise<void>;
  /** Restarts its daemons. */
  reset?(): Promise<void>;
  /** What {@link Addon.reset} answers while it is disabled. */
  readonly notEnabled?: string;
}
