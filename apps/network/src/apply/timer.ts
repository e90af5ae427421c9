/** A timer that may take longer than those of the platform. */

/** The longest delay that `setTimeout` takes. */
const longestMs = 2_147_483_647;

export interface LongTimer {
  stop(): void;
}

/** @param ms milliseconds; at once when they are over. */
export function timerFor(ms: number, work: () => void): LongTimer {
  let timer: NodeJS.Timeout;
  const arm = (left: number): void => {
    const step = Math.min(Math.max(left, 0), longestMs);
    timer = setTimeout(() => (left > step ? arm(left - step) : work()), step);
  };
  arm(ms);
  return { stop: () => clearTimeout(timer) };
}
