import { UserError } from '../../../image/tools/sentence.ts';

/** Something wrong with what was typed, before anything was done. */
export class UsageError extends UserError {}

/** Reads something typed; what is wrong with it is a {@link UsageError}. */
export function typed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) throw new UsageError(error.message, { cause: error });
    throw error;
  }
}
