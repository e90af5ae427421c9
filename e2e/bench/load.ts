/** Load on one endpoint over TLS connections that are kept alive. */
import { Agent, request } from 'node:https';
import type { Target } from '../appliance/rest.ts';

export interface LoadResult {
  readonly connections: number;
  readonly requests: number;
  /** Milliseconds. */
  readonly p50: number;
  /** Milliseconds. */
  readonly p99: number;
  /** Milliseconds. */
  readonly longest: number;
  readonly requestsPerSecond: number;
}

export interface Load {
  readonly method: string;
  readonly path: string;
  /** JSON of the n-th request; none for a read. */
  readonly body?: (index: number) => string;
}

function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

function once(target: Target, agent: Agent, { method, path, body }: Load, index: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const outgoing = request(`${target.url}${path}`, { method, agent }, (response) => {
      response.resume();
      response.on('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${method} ${path} answered ${response.statusCode ?? 'nothing'}`));
      });
    });
    outgoing.on('error', reject);
    outgoing.end(body?.(index));
  });
}

/**
 * Sends requests over `connections` connections, one after another on each.
 * @param warmUp requests before measuring begins.
 * @param requests how many are measured, or whether to go on.
 */
export async function measure(
  target: Target,
  load: Load,
  connections: number,
  warmUp: number,
  requests: number | (() => boolean),
): Promise<LoadResult> {
  const agent = new Agent({
    cert: target.certificate,
    key: target.key,
    keepAlive: true,
    maxSockets: connections,
    rejectUnauthorized: false,
  });
  const run = async (count: number | (() => boolean)): Promise<number[]> => {
    const times: number[] = [];
    let next = 0;
    await Promise.all(
      Array.from({ length: connections }, async () => {
        while (typeof count === 'number' ? next < count : count()) {
          next += 1;
          const started = performance.now();
          await once(target, agent, load, next);
          times.push(performance.now() - started);
        }
      }),
    );
    return times;
  };
  await run(warmUp);
  const started = performance.now();
  const times = await run(requests);
  const seconds = (performance.now() - started) / 1000;
  agent.destroy();
  const sorted = times.toSorted((a, b) => a - b);
  return {
    connections,
    requests: times.length,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    longest: sorted.at(-1) ?? Number.NaN,
    requestsPerSecond: times.length / seconds,
  };
}
