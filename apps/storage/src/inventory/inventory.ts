/**
 * What the machine's storage is like: drives, pools, volumes.
 *
 * Invariants: the snapshot is taken anew after the machine announced a change, after our own changes, while something
 * runs in a pool, and on every read as long as nobody announces changes; a snapshot that a change overtook is never
 * kept. SMART values, which nothing announces, are at most a minute old when read.
 */
import type { SystemStorageDrive, SystemStoragePool } from '@incusos/contracts/storage';
import { HOST, type Host, WatchedProgram } from '@incusos/host';
import { LOGGER, type Logger } from '@incusos/service';
import { Inject, Injectable, type OnModuleDestroy } from '@nestjs/common';
import { type DeviceLinks, diskNode } from '../drives/device-links.ts';
import { withMembership } from '../drives/drive-list.ts';
import { type DriveSurvey, surveyDrives } from '../drives/drive-survey.ts';
import { HealthCache, healthAgeMs } from '../drives/health-cache.ts';
import { type PoolSurvey, surveyPools } from '../pools/pool-survey.ts';

export interface Snapshot {
  readonly drives: readonly SystemStorageDrive[];
  readonly pools: readonly SystemStoragePool[];
  readonly links: DeviceLinks;
  /** The node of the drive that the system runs from. */
  readonly rootDisk: string | undefined;
  readonly survey: PoolSurvey;
}

interface Cached<T> {
  readonly value: T;
  readonly takenAt: number;
}

/** A snapshot is no older than this while a scrub, resilver or trim is under way. */
const busyAgeMs = 1_000;
/** After an announcement the machine is asked once things have calmed down. */
const calmMs = 100;
const mostAttempts = 5;

@Injectable()
export class Inventory implements OnModuleDestroy {
  private drives: Cached<DriveSurvey> | undefined;
  private pools: Cached<PoolSurvey> | undefined;
  private snapshot: Snapshot | undefined;
  private generation = 0;
  private asking: Promise<Snapshot> | undefined;
  private readonly watchers: WatchedProgram[];
  private readonly listeners = new Set<(snapshot: Snapshot) => void>();
  private timer: NodeJS.Timeout | undefined;
  private readonly health = new HealthCache();
  private renewing = false;
  /** Of the event that udev tells of at the moment. */
  private action = '';

  constructor(
    @Inject(HOST) private readonly host: Host,
    @Inject(LOGGER) private readonly logger: Logger,
  ) {
    const udev = ['udevadm', 'monitor', '--udev', '--property', '--subsystem-match=block'] as const;
    this.watchers = [
      this.watched(udev, (line) => this.onUdev(line)),
      this.watched(['zpool', 'events', '-f', '-H'], () => this.announced('pools')),
    ];
  }

  /** Begins to listen to what the machine announces. */
  watch(): void {
    for (const watcher of this.watchers) watcher.start();
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    for (const watcher of this.watchers) watcher.stop();
  }

  /**
   * Calls back with every new snapshot.
   * @returns ends that.
   */
  onChange(listener: (snapshot: Snapshot) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Waits for the next new snapshot, or for some milliseconds at most. */
  nextChange(patienceMs: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void): void => {
        clearTimeout(timer);
        end();
        signal.removeEventListener('abort', onAbort);
        done();
      };
      const onAbort = (): void =>
        settle(() => reject(signal.reason instanceof Error ? signal.reason : new Error('stopped')));
      const timer = setTimeout(() => settle(resolve), patienceMs);
      const end = this.onChange(() => settle(resolve));
      signal.addEventListener('abort', onAbort, { once: true });
    });
  }

  /** Drops what is known, after a change of our own. */
  invalidate(): void {
    this.forget('drives');
  }

  /** The storage as it is, from memory where nothing can have changed. */
  read(): Promise<Snapshot> {
    const now = Date.now();
    if (this.watchers.some((watcher) => !watcher.alive)) {
      // Whoever comes while the machine is being asked gets that answer.
      if (this.asking === undefined) this.forget('drives');
    } else if (this.pools !== undefined && this.pools.value.busy && now - this.pools.takenAt > busyAgeMs)
      this.forget('pools');
    else if (this.drives !== undefined && now - this.drives.takenAt > healthAgeMs) this.renewHealth();
    return this.snapshot === undefined ? this.ask() : Promise.resolve(this.snapshot);
  }

  /** The storage as the machine says now, whatever is known. */
  refresh(): Promise<Snapshot> {
    this.invalidate();
    return this.read();
  }

  private watched(argv: readonly [string, ...string[]], line: (line: string) => void): WatchedProgram {
    return new WatchedProgram(this.host.programs, argv, {
      // What happened before was not announced.
      begun: () => this.announced('drives'),
      line,
      lost: (why) =>
        this.logger.warn('changes are not announced for now, the machine is asked instead', {
          program: argv[0],
          why,
        }),
    });
  }

  private onUdev(line: string): void {
    // An event ends with an empty line; by then the drive's health is forgotten.
    if (line === '' || line.startsWith('ACTION=')) this.announced('drives');
    if (line.startsWith('ACTION=')) this.action = line.slice('ACTION='.length);
    // A drive changes many times while it is partitioned, and is still the same drive.
    if (line.startsWith('DEVNAME=') && this.action !== 'change')
      this.health.forget(diskNode(line.slice('DEVNAME='.length)));
  }

  private announced(what: 'drives' | 'pools'): void {
    this.forget(what);
    clearTimeout(this.timer);
    this.timer = setTimeout(() => {
      void this.read().catch((error: unknown) =>
        this.logger.warn('the storage could not be listed', { error: String(error) }),
      );
    }, calmMs).unref();
  }

  /** Asks the drives for their health again, while the values known so far are still given. */
  private renewHealth(): void {
    if (this.renewing) return;
    this.renewing = true;
    const { generation } = this;
    surveyDrives(this.host, this.health)
      .then((value) => {
        if (generation !== this.generation || this.pools === undefined) return;
        this.drives = { value, takenAt: Date.now() };
        this.snapshot = compose(value, this.pools.value);
      })
      .catch((error: unknown) => this.logger.warn('the drives could not be listed', { error: String(error) }))
      .finally(() => {
        this.renewing = false;
      });
  }

  private forget(what: 'drives' | 'pools'): void {
    this.generation += 1;
    this.snapshot = undefined;
    this.pools = undefined;
    if (what === 'drives') this.drives = undefined;
  }

  private ask(): Promise<Snapshot> {
    this.asking ??= this.takeSnapshot().finally(() => {
      this.asking = undefined;
    });
    return this.asking;
  }

  private async takeSnapshot(): Promise<Snapshot> {
    for (let attempt = 1; ; attempt += 1) {
      const { generation } = this;
      const takenAt = Date.now();
      const [drives, pools] = await Promise.all([
        this.drives ?? surveyDrives(this.host, this.health).then((value) => ({ value, takenAt })),
        this.pools ?? surveyPools(this.host).then((value) => ({ value, takenAt })),
      ]);
      const snapshot = compose(drives.value, pools.value);
      if (generation === this.generation) {
        this.drives = drives;
        this.pools = pools;
        this.snapshot = snapshot;
        for (const listener of this.listeners) listener(snapshot);
        return snapshot;
      }
      // While changes come faster than the machine answers, the answer is given and not kept.
      if (attempt >= mostAttempts) return snapshot;
    }
  }
}

function compose(drives: DriveSurvey, survey: PoolSurvey): Snapshot {
  const { links, rootDisk } = drives;
  const pools = survey.describe(links);
  return {
    drives: withMembership(drives.drives, links, survey.membership()),
    pools,
    links,
    rootDisk,
    survey,
  };
}
