/** Waits until every process says that it is ready. */
import { get } from 'node:http';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkHealth, serviceNames } from '@incusos/service';
import type { Layout } from '../directory.ts';

/** A machine that is busy takes long; one that hangs takes for ever. */
const patienceMs = 120_000;
const pollMs = 40;

/**
 * Waits for all services and the gateway.
 * @returns the names of those that were not ready in time; none when all went well or `signal` ended the wait.
 */
export async function waitUntilReady(layout: Layout, signal: AbortSignal): Promise<string[]> {
  const probes: [string, () => Promise<boolean>][] = [
    ...[...serviceNames, 'console'].map((name): [string, () => Promise<boolean>] => [
      name,
      () => checkHealth(name, 1_000, join(layout.run, `${name}.sock`)),
    ]),
    ['gateway', () => gatewayAnswers(layout)],
  ];
  const late = await Promise.all(
    probes.map(async ([name, probe]) => ((await waitFor(probe, signal)) ? undefined : name)),
  );
  return late.filter((name) => name !== undefined);
}

async function waitFor(probe: () => Promise<boolean>, signal: AbortSignal): Promise<boolean> {
  const deadline = Date.now() + patienceMs;
  while (!signal.aborted) {
    if (await probe()) return true;
    if (Date.now() > deadline) return false;
    await sleep(pollMs);
  }
  return true;
}

function gatewayAnswers(layout: Layout): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      { socketPath: join(layout.run, 'unix.socket'), path: '/1.0', timeout: 2_000 },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(false));
  });
}
