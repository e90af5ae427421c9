import type { StateStore } from '@incusos/state';

/** What an import is about to replace, and what was asked to stay. */
export interface ImportContext<T> {
  /** Tokens such as `network-macs`; unknown ones mean nothing. */
  readonly skip: ReadonlySet<string>;
  /** The state in force. */
  readonly current: Readonly<T>;
}

/** What a service adds to the handling of its state; every member is optional. */
export interface StateOwnerHooks<T> {
  /**
   * Checks and alters the state of a backup before anything is changed.
   * @param data the imported state, migrated and validated.
   * @throws DomainError with a sentence when the backup can't be used.
   */
  transform?(data: T, context: ImportContext<T>): T | Promise<T>;
  /**
   * Lets a state take effect that is saved already: after an import, a reset, or the recovery of a refused state.
   * Must be repeatable. What it throws is logged and undoes nothing, since the next start uses the state anyway.
   */
  apply?(previous: Readonly<T>, next: Readonly<T>): void | Promise<void>;
}

/** Files next to the state that belong to it: keys and certificates, mode 0600. */
export interface SecretFiles {
  /** One name, or all that match as a whole, such as `/^zpool\..+\.key$/u`. The first entry that fits a name counts. */
  readonly name: string | RegExp;
  /** With this skip token the machine's own file stays, e.g. `local-data-encryption-key`. */
  readonly keptBy?: string;
  /** @throws DomainError with a sentence when the content of a backup can't be used. */
  readonly check?: (content: Buffer, name: string) => void;
}

/** The settings of one service's owner, with everything that Nest had to resolve. */
export interface StateOwnerSettings {
  readonly service: string;
  readonly store: StateStore<object>;
  readonly secrets: readonly SecretFiles[];
  readonly hooks: StateOwnerHooks<object>;
}

export const STATE_OWNER_SETTINGS = Symbol('state-owner-settings');

/** The entry that a file name falls under. */
export function secretFor(secrets: readonly SecretFiles[], name: string): SecretFiles | undefined {
  return secrets.find((entry) =>
    typeof entry.name === 'string' ? entry.name === name : entry.name.test(name),
  );
}
