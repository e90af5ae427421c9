/**
 * The gateway's copy of the list of trusted clients. The security service sends the list and every change of it; while
 * that service is away the last list stays in force.
 */
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { DomainError, LOGGER, type Logger, reasonOf } from '@incusos/service';
import { Services } from '../grpc/services.ts';
import type { Trust } from '../listeners/https-listener.ts';

/** The list is asked for again after this long, should the connection have died without a sign. */
const renewMs = 60 * 60 * 1000;

/** Waiting times between attempts, in milliseconds; the last one repeats. */
const retryMs = [100, 200, 500, 1_000, 2_000] as const;

@Injectable()
export class TrustedClients implements Trust, OnApplicationBootstrap, OnApplicationShutdown {
  private fingerprints: ReadonlySet<string> | undefined;
  private readonly stopped = new AbortController();

  constructor(
    @Inject(Services) private readonly services: Services,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {}

  get known(): boolean {
    return this.fingerprints !== undefined;
  }

  isTrusted(fingerprint: string): boolean {
    return this.fingerprints?.has(fingerprint) ?? false;
  }

  onApplicationBootstrap(): void {
    void this.follow();
  }

  onApplicationShutdown(): void {
    this.stopped.abort();
  }

  private async follow(): Promise<void> {
    const { signal } = this.stopped;
    let failures = 0;
    const heard = (): void => {
      if (failures > 0) this.logger.info('the list of trusted clients is up to date again');
      failures = 0;
    };
    while (!signal.aborted) {
      const problem = await this.listen(heard);
      if (problem === undefined) continue;
      if (failures === 0) {
        this.logger.warn('the security service does not tell who is trusted; the last list stays in force', {
          reason: problem,
        });
      }
      failures += 1;
      await pause(retryMs[Math.min(failures, retryMs.length) - 1] ?? 1_000, signal);
    }
  }

  /** Takes over lists until the connection ends; undefined when that is as it should be. */
  private async listen(heard: () => void): Promise<string | undefined> {
    const { signal } = this.stopped;
    try {
      for await (const { clients } of this.services.trust.watchTrustedClients(
        {},
        { timeoutMs: renewMs, signal },
      )) {
        this.fingerprints = new Set(clients.map(({ fingerprint }) => fingerprint));
        heard();
      }
      return 'it ended the list';
    } catch (error) {
      if (signal.aborted) return undefined;
      if (error instanceof DomainError && error.reason === 'TIMED_OUT') return undefined;
      return reasonOf(error);
    }
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener('abort', end, { once: true });
  });
}
