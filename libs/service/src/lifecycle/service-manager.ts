/**
 * Tells systemd that the process is ready, and goes on telling it that it is alive (sd_notify(3)).
 *
 * Node has no datagram sockets of the kind that systemd listens on, so its own program `systemd-notify` speaks for the
 * process; the unit has `NotifyAccess=all`. A process that systemd doesn't supervise runs nothing.
 */
import { spawn } from 'node:child_process';

/** How often within systemd's limit the process says that it is alive. */
const beatsPerLimit = 4;
/**
 * What `systemd-notify` couldn't hand over is said again: systemd that reads its units anew, which on a busy machine takes
 * half a minute, forgets whoever ended meanwhile.
 */
const againMs = 5_000;

/**
 * Says `READY=1`, once, and from then on `WATCHDOG=1` as the unit's `WatchdogSec=` asks for.
 * @param report gets the sentence when systemd can't be told; once for many failures in a row.
 * @param retryMs after which a failure is made good.
 * @returns ends the signs of life.
 */
export function announceReady(report: (message: string) => void, retryMs = againMs): () => void {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return () => undefined;
  const limitMs = Number(WATCHDOG_USEC ?? '0') / 1_000;
  let ended = false;
  let timer: NodeJS.Timeout | undefined;
  const wait = (ms: number, then: () => Promise<void>): void => {
    if (!ended) timer = setTimeout(() => void then(), ms).unref();
  };
  const tell = async (state: string, failures = 0): Promise<void> => {
    const problem = await notify(state);
    if (problem !== undefined) {
      if (failures === 0) report(problem);
      wait(retryMs, () => tell(state, failures + 1));
    } else if (limitMs > 0) wait(limitMs / beatsPerLimit, () => tell('WATCHDOG=1'));
  };
  void tell('READY=1');
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

/** @returns why systemd wasn't told, if it wasn't. */
function notify(state: string): Promise<string | undefined> {
  return new Promise((resolve) => {
    const child = spawn('systemd-notify', [state], { stdio: 'ignore' });
    child.on('error', (error) => resolve(`systemd can't be told ${state}: ${error.message}`));
    child.on('exit', (code, signal) =>
      resolve(code === 0 ? undefined : `systemd-notify ${state} ended with ${describeEnd(code, signal)}`),
    );
  });
}

function describeEnd(code: number | null, signal: NodeJS.Signals | null): string {
  return code === null ? (signal ?? 'no exit code') : `exit code ${code}`;
}
