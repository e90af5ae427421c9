/** Reads what the kernel shows: a missing file or a strange number is an absent value, never an error. */
import type { Files } from '@incusos/host';

export class KernelView {
  constructor(private readonly files: Files) {}

  /** A file's text, trimmed; `undefined` when it is missing, unreadable or empty. */
  async text(path: string): Promise<string | undefined> {
    const text = await this.files.readText(path).catch(() => '');
    const trimmed = text.trim();
    return trimmed === '' ? undefined : trimmed;
  }

  /** A decimal number, 0 when there is none. */
  async number(path: string): Promise<number> {
    const value = Number((await this.text(path)) ?? 0);
    return Number.isFinite(value) ? value : 0;
  }

  list(directory: string): Promise<string[]> {
    return this.files.list(directory);
  }

  exists(path: string): Promise<boolean> {
    return this.files.exists(path);
  }

  /** The last part of where a link points; `undefined` when it is none. */
  async linkName(path: string): Promise<string | undefined> {
    const target = await this.files.readLink(path).catch(() => undefined);
    return target?.slice(target.lastIndexOf('/') + 1);
  }

  /** Where a device of `/sys/class` really is; its own path when it is no link. */
  realPath(path: string): Promise<string> {
    return this.files.realPath(path).catch(() => path);
  }

  /** The values of a `KEY=value` file such as uevent, or of udev's database (`E:KEY=value`). */
  async variables(path: string): Promise<ReadonlyMap<string, string>> {
    const text = (await this.text(path)) ?? '';
    return new Map(
      [...text.matchAll(/^(?:E:)?([A-Z0-9_]+)=(.*)$/gmu)].map(([, key = '', value = '']) => [key, value]),
    );
  }

  /** The NUMA node of a device; 0 where the machine has none or doesn't say. */
  async numaNode(directory: string): Promise<number> {
    return Math.max(0, await this.number(`${directory}/numa_node`));
  }
}

/** The last PCI address in a path below `/sys/devices`. */
export function pciAddressIn(path: string): string | undefined {
  return path.match(/[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7](?=\/|$)/gu)?.at(-1);
}
