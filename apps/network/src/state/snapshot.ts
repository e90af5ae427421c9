/**
 * The machine's network, kept current by being told of changes. In the ordinary case reading it runs no program.
 *
 * Invariants: what is handed out was read after the last change that was announced before the question; with no watcher
 * alive every question asks the machine; counters and neighbours, which nobody announces, are at most
 * {@link staleAfterMs} old.
 */
import type { Host } from '@incusos/host';
import type { Logger } from '@incusos/service';
import { type Counters, parseCounters } from './counters.ts';
import { readMachine, readNeighbours, type Readings } from './readings.ts';
import { NetworkWatcher } from './watcher.ts';

const staleAfterMs = 1_500;
const gatherMs = 40;
/** networkd follows the kernel a moment later. */
const settleMs = 1_500;
const settleStepMs = 300;

export interface Snapshot {
  readonly readings: Readings;
  readonly counters: ReadonlyMap<string, Counters>;
}

export class NetworkSnapshot {
  private readonly watcher: NetworkWatcher;
  /** Counts announced changes. */
  private generation = 1;
  /** The generation that `readings` knows of. */
  private known = 0;
  private readings: Readings | undefined;
  private refreshing: { readonly generation: number; readonly done: Promise<void> } | undefined;
  private settleUntil = 0;
  private timer: NodeJS.Timeout | undefined;
  private counters: { readonly at: number; readonly values: ReadonlyMap<string, Counters> } | undefined;
  private neighboursAt = 0;

  constructor(
    private readonly host: Host,
    logger: Logger,
  ) {
    this.watcher = new NetworkWatcher(
      host,
      () => this.changed(),
      (message) => logger.warn(message),
    );
  }

  start(): void {
    this.watcher.start();
  }

  stop(): void {
    this.watcher.stop();
    clearTimeout(this.timer);
  }

  /** What was read before no longer counts. */
  changed(): void {
    this.generation += 1;
    this.settleUntil = Date.now() + settleMs;
    this.schedule(gatherMs);
  }

  /**
   * The network as it is.
   * @param listening whether neighbours are listened for, and have to be current.
   */
  async read(listening: boolean): Promise<Snapshot> {
    if (!this.watcher.alive) this.generation += 1;
    const wanted = this.generation;
    while (this.readings === undefined || this.known < wanted) await this.refresh();
    if (listening) await this.refreshNeighbours();
    return { readings: this.readings, counters: await this.readCounters() };
  }

  private schedule(ms: number): void {
    if (this.timer !== undefined) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      const settling = Date.now() < this.settleUntil;
      if (settling) this.generation += 1;
      // A failure shows itself to whoever asks next.
      void this.refresh().catch(() => undefined);
      if (settling) this.schedule(settleStepMs);
    }, ms).unref();
  }

  private async refresh(): Promise<void> {
    if (this.refreshing !== undefined) {
      const { generation, done } = this.refreshing;
      await done;
      if (generation === this.generation) return;
    }
    if (this.readings !== undefined && this.known === this.generation) return;
    this.refreshing ??= this.begin();
    await this.refreshing.done;
  }

  private begin(): { generation: number; done: Promise<void> } {
    const { generation } = this;
    const done = readMachine(this.host).then(
      (readings) => {
        this.refreshing = undefined;
        this.readings = readings;
        this.known = generation;
        this.neighboursAt = Date.now();
      },
      (error: unknown) => {
        this.refreshing = undefined;
        throw error;
      },
    );
    return { generation, done };
  }

  private async refreshNeighbours(): Promise<void> {
    if (this.readings === undefined || Date.now() - this.neighboursAt < staleAfterMs) return;
    this.neighboursAt = Date.now();
    const neighbours = await readNeighbours(this.host);
    this.readings = { ...this.readings, neighbours };
  }

  private async readCounters(): Promise<ReadonlyMap<string, Counters>> {
    if (this.counters !== undefined && Date.now() - this.counters.at < staleAfterMs)
      return this.counters.values;
    const values = parseCounters(await this.host.files.readText('/proc/net/dev'));
    this.counters = { at: Date.now(), values };
    return values;
  }
}
