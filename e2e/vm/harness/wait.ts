/** Waiting with a limit. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Asks until there is an answer.
 * @throws Error with `what` and the last error when there is none within the limit.
 */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  everyMs = 500,
): Promise<T> {
  const end = Date.now() + limitMs;
  let last: unknown;
  for (;;) {
    try {
      const answer = await ask();
      if (answer !== undefined) return answer;
      last = undefined;
    } catch (error) {
      if (error instanceof GaveUp) throw error;
      last = error;
    }
    if (Date.now() > end)
      throw new Error(`${what} did not happen within ${Math.round(limitMs / 1_000)} s`, { cause: last });
    await sleep(everyMs);
  }
}

/** Ends {@link until} before its limit: what is waited for can't happen any more. */
export class GaveUp extends Error {}
