import type { StateStore } from '@incusos/state';
import { stateFailure } from './state-failure.ts';

/**
 * Commits to a service's state on behalf of a caller.
 * @param reason what the change is for, kept in the file.
 * @throws DomainError NO_SPACE, UNAVAILABLE or OPERATION_FAILED when it could not be saved; what `change` throws.
 */
export async function commitState<T>(
  store: StateStore<T>,
  reason: string,
  change: (state: Readonly<T>) => T,
): Promise<Readonly<T>> {
  try {
    return await store.commit(reason, change);
  } catch (error) {
    throw stateFailure(error);
  }
}
