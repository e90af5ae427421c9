/** Waiting with a limit. */
import { setTimeout as sleep } from 'node:timers/promises';
import { say } from '../../../image/tools/sentence.ts';

/** After how long, and then how often, a long wait is told. */
const tellMs = 30_000;

export interface Waiting {
  readonly everyMs?: number;
  /** What is to be seen meanwhile, for who watches. */
  readonly sight?: () => string;
}

/**
 * Asks until there is an answer.
 * @throws Error with `what` and the last error when there is none within the limit.
 */
export async function until<T>(
  what: string,
  limitMs: number,
  ask: () => Promise<T | undefined> | T | undefined,
  { everyMs = 500, sight }: Waiting = {},
): Promise<T> {
  const began = Date.now();
  let told = began;
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
    const now = Date.now();
    if (now - began > limitMs)
      throw new Error(`${what} did not happen within ${Math.round(limitMs / 1_000)} s`, { cause: last });
    if (now - told > tellMs) {
      told = now;
      const seen = sight?.() ?? '';
      say(`  waiting for ${what}${seen === '' ? '' : ` | ${seen}`}`);
    }
    await sleep(everyMs);
  }
}

/** Ends {@link until} before its limit: what is waited for can't happen any more. */
export class GaveUp extends Error {}
