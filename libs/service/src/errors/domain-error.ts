import type { ErrorReason, FieldViolation } from './reasons.ts';

/** A failure that the caller is told about, in the message's own words. */
export class DomainError extends Error {
  override readonly name = 'DomainError';
  /** What is wrong with which field, for {@link ErrorReason} `INVALID_REQUEST`. */
  readonly fields: readonly FieldViolation[];

  constructor(
    readonly reason: ErrorReason,
    message: string,
    options: ErrorOptions & { readonly fields?: readonly FieldViolation[] } = {},
  ) {
    super(message, options);
    this.fields = options.fields ?? [];
  }
}
