/**
 * The drives' SMART values. Asking takes a drive 200 ms and more and nothing announces a new value, so what was asked
 * is kept for a while, and dropped when udev says that the drive changed.
 */
import type { Host } from '@incusos/host';
import { type DriveHealth, parseSmartctl, smartArgv } from './smartctl.ts';

/** Milliseconds for which values are kept. */
export const healthAgeMs = 60_000;
/** Drives asked at once. */
const concurrency = 16;
const timeoutMs = 10_000;

export class HealthCache {
  private readonly known = new Map<string, { readonly health: DriveHealth; readonly askedAt: number }>();

  forget(node: string): void {
    this.known.delete(node);
  }

  /** The health of each drive by its node; one that doesn't answer, or has no SMART, is in it all the same. */
  async ask(host: Host, nodes: readonly string[]): Promise<Map<string, DriveHealth>> {
    const now = Date.now();
    for (const [node, { askedAt }] of this.known)
      if (!nodes.includes(node) || now - askedAt >= healthAgeMs) this.known.delete(node);
    const waiting = nodes.filter((node) => !this.known.has(node));
    const work = async (): Promise<void> => {
      for (let node = waiting.shift(); node !== undefined; node = waiting.shift()) {
        const output = await host.programs.run(smartArgv(node), { acceptExitCodes: 'any', timeoutMs }).then(
          (result) => result.stdout,
          () => '',
        );
        this.known.set(node, { health: parseSmartctl(output), askedAt: now });
      }
    };
    await Promise.all(Array.from({ length: Math.min(concurrency, waiting.length) }, work));
    return new Map([...this.known].map(([node, { health }]) => [node, health]));
  }
}
