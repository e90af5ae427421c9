/** A state file that can't be used; `message` names the file and says why. */
export class StateFileError extends Error {
  override readonly name = 'StateFileError';

  constructor(
    readonly file: string,
    readonly reason: 'unreadable' | 'cut-short' | 'newer-version' | 'invalid',
    message: string,
  ) {
    super(message);
  }
}

/** A change was refused because the state file itself was refused and nobody decided yet what to go on with. */
export class StateRefusedError extends Error {
  override readonly name = 'StateRefusedError';
}

/** A commit that did not reach the disk; the configuration is the one from before. */
export class StateWriteError extends Error {
  override readonly name = 'StateWriteError';

  constructor(
    readonly code: string,
    message: string,
    options: ErrorOptions,
  ) {
    super(message, options);
  }
}
