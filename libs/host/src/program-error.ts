/** Why a program gave no usable result. */
export type ProgramFailure = 'not-found' | 'failed' | 'timed-out' | 'too-much-output' | 'aborted';

/** A program that could not be run, or ended in a way its caller did not accept. */
export class ProgramError extends Error {
  override readonly name = 'ProgramError';
  /** What it is to whoever asked for something: no defect, but something that was tried and failed. */
  readonly reason = 'OPERATION_FAILED';

  /** A machine that stands in for the real one is loaded as a bundle, with a copy of this class of its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return (
      value instanceof Error && value.name === 'ProgramError' && 'failure' in value && 'program' in value
    );
  }

  constructor(
    readonly failure: ProgramFailure,
    readonly program: string,
    /** What the program wrote to standard error, trimmed; the sentence a person should see. */
    readonly stderr: string,
    readonly exitCode: number | undefined,
    message: string,
  ) {
    super(message);
  }
}
