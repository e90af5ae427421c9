/**
 * Tells when the kernel's links, addresses or routes, or networkd's view of them, changed.
 *
 * Invariant: while `alive` is true every change since then was or will be announced; when the watching program ends,
 * it is false until a new one runs.
 */
import { createInterface } from 'node:readline';
import type { Host, ProgramStream, Watcher as FileWatcher } from '@incusos/host';

/** Where networkd keeps the state of each link; it rewrites a file when its operational state changes. */
const networkdLinks = '/run/systemd/netif/links';
const shortestPauseMs = 500;
const longestPauseMs = 30_000;

export class NetworkWatcher {
  alive = false;
  private program: ProgramStream | undefined;
  private files: FileWatcher | undefined;
  private pauseMs = shortestPauseMs;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly host: Host,
    private readonly onChange: () => void,
    private readonly onProblem: (message: string) => void,
  ) {}

  start(): void {
    if (this.stopped) return;
    this.watchFiles();
    const program = this.host.programs.stream(['ip', 'monitor', 'link', 'address', 'route'], {
      maxOutputBytes: Number.MAX_SAFE_INTEGER,
    });
    this.program = program;
    this.alive = true;
    // Whatever happened while nobody watched.
    this.onChange();
    createInterface({ input: program.stdout }).on('line', () => {
      this.pauseMs = shortestPauseMs;
      this.onChange();
    });
    program.finished.then(
      () => this.ended('it ended'),
      (error: unknown) => this.ended(error instanceof Error ? error.message : String(error)),
    );
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.files?.close();
    this.program?.stop();
    this.alive = false;
  }

  private ended(why: string): void {
    this.alive = false;
    if (this.stopped) return;
    this.onProblem(
      `the watch on the network ended (${why}), the machine is asked each time until it runs again`,
    );
    this.timer = setTimeout(() => this.start(), this.pauseMs).unref();
    this.pauseMs = Math.min(this.pauseMs * 2, longestPauseMs);
  }

  private watchFiles(): void {
    this.files?.close();
    try {
      this.files = this.host.files.watch(networkdLinks, () => this.onChange());
    } catch {
      // networkd makes the directory when it first writes there; netlink alone announces nearly as much.
      this.files = undefined;
    }
  }
}
