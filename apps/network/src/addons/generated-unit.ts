/**
 * A unit of an add-on's daemon, written for as long as the machine runs. It takes the place of a packaged unit of the same
 * name, and tells a later run of this service that the daemon was started.
 */
import type { Host } from '@incusos/host';

export class GeneratedUnit {
  private readonly path: string;

  constructor(
    private readonly host: Host,
    readonly name: string,
  ) {
    this.path = `/run/systemd/system/${name}`;
  }

  exists(): Promise<boolean> {
    return this.host.files.exists(this.path);
  }

  /** @returns whether it was another one before. */
  async write(lines: readonly string[]): Promise<boolean> {
    const text = `# Made by IncusOS\n${lines.join('\n')}\n`;
    const { files } = this.host;
    if ((await files.readText(this.path).catch(() => undefined)) === text) return false;
    await files.writeAtomic(this.path, text);
    await this.reload();
    return true;
  }

  async isActive(): Promise<boolean> {
    const { stdout } = await this.host.programs.run(['systemctl', 'is-active', this.name], {
      acceptExitCodes: 'any',
    });
    return stdout.trim() === 'active';
  }

  async start(): Promise<void> {
    await this.systemctl('start');
  }

  /** Starts it, anew if it runs. */
  async restart(): Promise<void> {
    await this.systemctl('restart');
  }

  /** Stops it and removes its file. */
  async remove(): Promise<void> {
    await this.systemctl('stop');
    await this.host.files.remove(this.path);
    await this.reload();
  }

  private async systemctl(verb: 'start' | 'restart' | 'stop'): Promise<void> {
    await this.host.programs.run(['systemctl', verb, this.name], { timeoutMs: unitLimitMs });
  }

  private async reload(): Promise<void> {
    await this.host.programs.run(['systemctl', 'daemon-reload']);
  }
}

/** A line of `[Unit]`: changes of the configuration may follow each other quickly, and each starts the daemon. */
export const unlimitedStarts = ['StartLimitIntervalSec=0'] as const;

/** Longer than the service manager itself waits for a unit. */
export const unitLimitMs = 120_000;
