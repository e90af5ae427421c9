import { DomainError } from '@incusos/service';
import { StateFileError, StateRefusedError, StateWriteError } from '@incusos/state';

/**
 * What to tell the caller when the state could not be read or written: `throw stateFailure(error)`.
 * An error that isn't about the state is handed back as it is.
 */
export function stateFailure(error: unknown): Error {
  if (error instanceof StateWriteError) {
    return new DomainError(error.code === 'ENOSPC' ? 'NO_SPACE' : 'OPERATION_FAILED', error.message, {
      cause: error,
    });
  }
  if (error instanceof StateRefusedError)
    return new DomainError('UNAVAILABLE', error.message, { cause: error });
  if (error instanceof StateFileError)
    return new DomainError('INVALID_REQUEST', error.message, { cause: error });
  if (error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT')) {
    return new DomainError('NO_SPACE', 'no space is left on the disk, nothing was changed', { cause: error });
  }
  return error instanceof Error ? error : new Error(String(error));
}
