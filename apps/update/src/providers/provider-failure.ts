import { FeedError } from '@incusos/images';
import { DomainError } from '@incusos/service';
import { ProviderError } from './provider-error.ts';

/** What the caller is told when a provider failed; an error of another kind comes back as it is. */
export function providerFailure(error: unknown): unknown {
  if (error instanceof ProviderError || error instanceof FeedError) {
    return new DomainError('OPERATION_FAILED', error.message, { cause: error });
  }
  return error;
}
