/** What a person at the terminal reads: progress, and failures that are theirs to put right. */

/** Something the person can put right; shown without a stack. */
export class UserError extends Error {}

const started = performance.now();

/** One line of progress with the time since the start. */
export function say(text: string): void {
  const seconds = Math.round((performance.now() - started) / 1_000);
  process.stderr.write(`[${String(seconds).padStart(4)} s] ${text}\n`);
}

/** Runs `main`; a {@link UserError} becomes its sentence and exit code 1. */
export async function runMain(main: () => Promise<void>): Promise<void> {
  try {
    await main();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  }
}
