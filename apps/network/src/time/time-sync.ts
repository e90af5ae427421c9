/**
 * How the clock follows the time servers, as systemd-timesyncd tells it: by a file that it touches whenever a server
 * answered (systemd-timesyncd.service(8), `/run/systemd/timesync/synchronized`).
 *
 * Invariant: nothing is polled; a program runs once after each answer, for the server's name.
 */
import type { SystemNetworkTimeState } from '@incusos/contracts/network';
import type { Host, Watcher } from '@incusos/host';

/** Of the time service while it runs. */
const directory = '/run/systemd/timesync';
const parent = '/run/systemd';
const touched = `${directory}/synchronized`;
const gatherMs = 50;

export class TimeSync {
  private state: SystemNetworkTimeState | undefined;
  private watchers: Watcher[] = [];
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> = Promise.resolve();
  private stopped = false;

  constructor(
    private readonly host: Host,
    private readonly onChange: () => void,
  ) {}

  /** `undefined` while the time service was not heard of. */
  get current(): SystemNetworkTimeState | undefined {
    return this.state;
  }

  start(): void {
    this.look();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.closeWatchers();
  }

  private changed(): void {
    if (this.stopped) return;
    this.timer ??= setTimeout(() => {
      this.timer = undefined;
      this.look();
    }, gatherMs).unref();
  }

  private look(): void {
    // Watched anew before it is looked at: the directory comes and goes with the time service.
    this.watch();
    this.looking = this.looking.then(async () => this.update()).catch(() => undefined);
  }

  private async update(): Promise<void> {
    const [runs, file] = await Promise.all([
      this.host.files.exists(directory),
      this.host.files.stat(touched),
    ]);
    const at = file?.modifiedAt.toISOString();
    if (at === this.state?.last_synchronized && runs === (this.state !== undefined)) return;
    if (!runs) this.state = undefined;
    else if (at === undefined) this.state = { synchronized: false };
    else this.state = { synchronized: true, last_synchronized: at, server: await this.readServer() };
    this.onChange();
  }

  private async readServer(): Promise<string | undefined> {
    const { stdout } = await this.host.programs.run(
      ['timedatectl', 'show-timesync', '--property=ServerName', '--property=ServerAddress'],
      { acceptExitCodes: 'any' },
    );
    const name = /^ServerName=(.+)$/mu.exec(stdout)?.[1];
    return name ?? /^ServerAddress=(.+)$/mu.exec(stdout)?.[1];
  }

  private watch(): void {
    this.closeWatchers();
    if (this.stopped) return;
    for (const path of [parent, directory]) {
      try {
        this.watchers.push(this.host.files.watch(path, () => this.changed()));
      } catch {
        // The parent tells when it appears; a machine without either has no time service.
      }
    }
  }

  private closeWatchers(): void {
    for (const watcher of this.watchers.splice(0)) watcher.close();
  }
}
