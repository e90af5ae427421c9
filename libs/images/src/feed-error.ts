/**
 * What is wrong with a feed: `malformed` can't be read, `altered` doesn't match its signature, `untrusted` is signed
 * by someone this machine doesn't trust.
 */
export type FeedProblem = 'malformed' | 'altered' | 'untrusted';

/** A feed that can't be used; the message is a sentence for a person. */
export class FeedError extends Error {
  override readonly name = 'FeedError';

  constructor(
    readonly problem: FeedProblem,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
