/**
 * The machine's network, kept current by being told of changes. In the ordinary case reading it runs no program and
 * waits for nothing, also while much is changing.
 *
 * Invariants: what is handed out lacks no change that was announced more than {@link announcedStaleMs} before the
 * question, and none at all that this service made and said so; with no watcher alive every question asks the
 * machine; what nobody announces is at most {@link movingStaleMs} old.
 */
import type { Host } from '@incusos/host';
import type { Logger } from '@incusos/service';
import { type Moving, type MovingParts, readMoving } from './moving.ts';
import { readMachine, type Readings } from './readings.ts';
import { NetworkWatcher } from './watcher.ts';

const announcedStaleMs = 1_500;
const movingStaleMs = 1_000;
/** Changes come in flocks. */
const gatherMs = 40;
/** Between two readings while changes go on and on. */
const longestPauseMs = 700;
/** networkd follows the kernel a moment later; only of use where it doesn't say so itself. */
const settleStepsMs = [300, 1_500];

export interface Snapshot {
  readonly readings: Readings;
  readonly moving: Moving;
}

export class NetworkSnapshot {
  private readonly watcher: NetworkWatcher;
  /** Counts announced changes. */
  private generation = 1;
  /** The generation that `readings` knows of. */
  private known = 0;
  /** The generation that an answer must know of, whatever it takes. */
  private needed = 1;
  /** When the first change was announced that `readings` may lack. */
  private lackingSince: number | undefined;
  /** The same of what the reading that is under way may lack. */
  private missedSince: number | undefined;
  private readings: Readings | undefined;
  private refreshing: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private settling: NodeJS.Timeout[] = [];
  private tookMs = 0;
  private moving: { readonly at: number; readonly key: string; readonly value: Promise<Moving> } | undefined;
  private stopped = false;

  constructor(
    private readonly host: Host,
    logger: Logger,
  ) {
    this.watcher = new NetworkWatcher(
      host,
      () => this.announced(),
      (message) => logger.warn(message),
    );
  }

  start(): void {
    this.watcher.start();
  }

  stop(): void {
    this.stopped = true;
    this.watcher.stop();
    clearTimeout(this.timer);
    this.settling.forEach(clearTimeout);
  }

  /** This service changed the machine: whoever asks from now on is to see it. */
  changed(): void {
    this.announced();
    this.needed = this.generation;
    this.moving = undefined;
  }

  /** The network as it is. */
  async read(parts: MovingParts): Promise<Snapshot> {
    if (!this.watcher.alive) {
      this.note();
      this.needed = this.generation;
    }
    const wanted = this.needed;
    const tolerated = Date.now() - announcedStaleMs;
    const moving = this.readMoving(parts);
    while (
      this.readings === undefined ||
      this.known < wanted ||
      (this.lackingSince !== undefined && this.lackingSince < tolerated)
    )
      await this.refresh();
    return { readings: this.readings, moving: await moving };
  }

  /** Something changed, somewhere. */
  private announced(): void {
    if (this.stopped) return;
    this.note();
    this.schedule(gatherMs);
    if (this.watcher.hearsNetworkd) return;
    this.settling.forEach(clearTimeout);
    this.settling = settleStepsMs.map((ms) => setTimeout(() => this.settle(), ms).unref());
  }

  private settle(): void {
    this.note();
    this.schedule(0);
  }

  private note(): void {
    this.generation += 1;
    if (this.refreshing === undefined) this.lackingSince ??= Date.now();
    else this.missedSince ??= Date.now();
  }

  private schedule(ms: number): void {
    if (this.timer !== undefined || this.stopped) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      // A failure shows itself to whoever asks next.
      void this.refresh().catch(() => undefined);
    }, ms).unref();
  }

  /** Reads the machine once more; who asks while it is being read waits for that. */
  private refresh(): Promise<void> {
    this.refreshing ??= this.readOnce().finally(() => {
      this.refreshing = undefined;
      if (this.known < this.generation && this.readings !== undefined)
        this.schedule(Math.max(gatherMs, Math.min(this.tookMs, longestPauseMs)));
    });
    return this.refreshing;
  }

  private async readOnce(): Promise<void> {
    const { generation } = this;
    const began = Date.now();
    try {
      this.readings = await readMachine(this.host);
      this.known = generation;
      this.lackingSince = this.missedSince;
    } finally {
      this.lackingSince ??= this.missedSince;
      this.missedSince = undefined;
      this.tookMs = Date.now() - began;
    }
  }

  private readMoving(parts: MovingParts): Promise<Moving> {
    const key = JSON.stringify(parts);
    if (this.moving?.key === key && Date.now() - this.moving.at < movingStaleMs) return this.moving.value;
    const value = readMoving(this.host, parts);
    const moving = { at: Date.now(), key, value };
    this.moving = moving;
    value.catch(() => {
      if (this.moving === moving) this.moving = undefined;
    });
    return value;
  }
}
