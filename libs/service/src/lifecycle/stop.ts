import { reasonOf } from '../errors/error-text.ts'; /** Stopping: what was begun is finished within a limit, newest first, and then the process ends. */

type StopStep = () => Promise<void> | void;

/** A process has 5 s to stop. */
const stopLimitMs = 5_000;
const steps: StopStep[] = [];

/** Registers what has to be done when the process stops; steps run in reverse order. */
export function onStop(step: StopStep): void {
  steps.push(step);
}

/** Ends the process in order on SIGTERM, on SIGINT and when its supervisor is gone, and at the latest after 5 s. */
export function stopOnSignals(report: (message: string) => void): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    setTimeout(() => process.exit(1), stopLimitMs).unref();
    void runSteps(report).then((clean) => process.exit(clean ? 0 : 1));
  };
  process.once('SIGTERM', stop);
  process.once('SIGINT', stop);
  // A supervisor on a development machine holds a channel open; its end means that nobody looks after us any more.
  process.channel?.unref();
  process.once('disconnect', stop);
}

async function runSteps(report: (message: string) => void): Promise<boolean> {
  let clean = true;
  for (const step of steps.toReversed()) {
    try {
      await step();
    } catch (error) {
      clean = false;
      report(`stopping: ${reasonOf(error)}`);
    }
  }
  return clean;
}
