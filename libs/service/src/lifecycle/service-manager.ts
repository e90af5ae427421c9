/**
 * Tells systemd that the process is ready, and goes on telling it that it is alive (sd_notify(3)).
 *
 * Node has no datagram sockets of the kind that systemd listens on, so its own program `systemd-notify` speaks for the
 * process; the unit has `NotifyAccess=all`. A process that systemd doesn't supervise runs nothing.
 */
import { spawn } from 'node:child_process';

/** How often within systemd's limit the process says that it is alive. */
const beatsPerLimit = 2;

/**
 * Says `READY=1`, once, and from then on `WATCHDOG=1` as the unit's `WatchdogSec=` asks for.
 * @param report gets the sentence when systemd can't be told.
 * @returns ends the signs of life.
 */
export function announceReady(report: (message: string) => void): () => void {
  const { NOTIFY_SOCKET, WATCHDOG_USEC } = process.env;
  if (NOTIFY_SOCKET === undefined || NOTIFY_SOCKET === '') return () => undefined;
  notify('READY=1', report);
  const limitMs = Number(WATCHDOG_USEC ?? '0') / 1_000;
  if (limitMs === 0) return () => undefined;
  const beat = setInterval(() => notify('WATCHDOG=1', report), limitMs / beatsPerLimit);
  beat.unref();
  return () => clearInterval(beat);
}

function notify(state: string, report: (message: string) => void): void {
  const child = spawn('systemd-notify', [state], { stdio: 'ignore' });
  child.on('error', (error) => report(`systemd can't be told ${state}: ${error.message}`));
  child.on('exit', (code) => {
    if (code !== null && code !== 0) report(`systemd-notify ${state} ended with exit code ${code}`);
  });
}
