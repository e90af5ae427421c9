/** Follows the appliance's journal, which the system service reads, and keeps its newest lines. */
import { DebugServiceService } from '@incusos/contracts/system';
import { connectService, DomainError, LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnApplicationBootstrap, type OnApplicationShutdown } from '@nestjs/common';
import { setTimeout as sleep } from 'node:timers/promises';
import { Redraw } from '../display/redraw.ts';
import type { LogLine } from '../screen/view.ts';
import { journalLine } from './journal-line.ts';

/** More rows than a screen has. */
const kept = 250;
/** A call can't last for ever; the next one goes on where it ends. */
const callMs = 24 * 60 * 60_000;
const pauseMs = 1_000;

@Injectable()
export class LogService implements OnApplicationBootstrap, OnApplicationShutdown {
  private readonly connection = connectService('system');
  private readonly end = new AbortController();
  private newest: LogLine[] = [];
  private following: Promise<void> = Promise.resolve();

  constructor(
    @Inject(LOGGER) private readonly logger: Logger,
    @Inject(Redraw) private readonly redraw: Redraw,
  ) {}

  /** Oldest first. */
  get lines(): readonly LogLine[] {
    return this.newest;
  }

  onApplicationBootstrap(): void {
    this.following = this.follow();
  }

  async onApplicationShutdown(): Promise<void> {
    this.end.abort();
    await this.following;
    this.connection.close();
  }

  private async follow(): Promise<void> {
    const { signal } = this.end;
    while (!signal.aborted) {
      try {
        await this.readOn(signal);
      } catch (error) {
        if (!(error instanceof DomainError)) throw error;
        this.logger.debug('the journal cannot be followed', { error: error.message });
      }
      await sleep(pauseMs, undefined, { signal }).catch(() => undefined);
    }
  }

  private async readOn(signal: AbortSignal): Promise<void> {
    const query = { unit: 'incus-osd', entries: String(kept), follow: true };
    const entries = this.connection.use(DebugServiceService).streamLog(query, { signal, timeoutMs: callMs });
    // The journal begins with what is there, so what was kept before would be shown twice.
    let lines: LogLine[] = [];
    for await (const { entry } of entries) {
      const line = journalLine(entry);
      if (line === undefined) continue;
      lines.push(line);
      if (lines.length > kept * 2) lines = lines.slice(-kept);
      this.newest = lines;
      this.redraw.request();
    }
  }
}
