/**
 * Tells when the kernel's links, addresses or routes, or networkd's view of them, changed.
 *
 * Invariant: while `alive` is true every change since then was or will be announced; when the watching program ends,
 * it is false until a new one runs.
 */
import { type Host, type Watcher as FileWatcher, WatchedProgram } from '@incusos/host';

/** Where networkd keeps the state of each link; it rewrites a file when its operational state changes. */
const networkdLinks = '/run/systemd/netif/links';

export class NetworkWatcher {
  private readonly kernel: WatchedProgram;
  private files: FileWatcher | undefined;

  constructor(
    private readonly host: Host,
    onChange: () => void,
    onProblem: (message: string) => void,
  ) {
    const changed = (): void => {
      this.watchFiles(onChange);
      onChange();
    };
    this.kernel = new WatchedProgram(host.programs, ['ip', 'monitor', 'link', 'address', 'route'], {
      // Whatever happened while nobody watched.
      begun: changed,
      line: changed,
      lost: (why) =>
        onProblem(
          `the watch on the network ended (${why}), the machine is asked each time until it runs again`,
        ),
    });
  }

  get alive(): boolean {
    return this.kernel.alive;
  }

  /** Whether what networkd makes of a change is announced too. */
  get hearsNetworkd(): boolean {
    return this.files !== undefined;
  }

  start(): void {
    this.kernel.start();
  }

  stop(): void {
    this.kernel.stop();
    this.files?.close();
  }

  private watchFiles(onChange: () => void): void {
    if (this.files !== undefined) return;
    try {
      this.files = this.host.files.watch(networkdLinks, onChange);
    } catch {
      // networkd makes the directory when it first writes there; netlink alone announces nearly as much until then.
      this.files = undefined;
    }
  }
}
