/**
 * The names of block devices: udev's links below `/dev/disk`, and the nodes of the kernel's that they lead to.
 * A device has many names; two names are the same device when they lead to the same node.
 */
import type { Files } from '@incusos/host';

const directories = ['/dev/disk/by-id', '/dev/disk/by-partlabel', '/dev/disk/by-path'] as const;

/** LVM makes links for physical volumes, which are not names of drives. */
const skippedPrefix = '/dev/disk/by-id/lvm-pv-uuid-';

export class DeviceLinks {
  private readonly linksByNode = new Map<string, string[]>();

  /** @param nodeByLink which node each link leads to. */
  constructor(private readonly nodeByLink: ReadonlyMap<string, string>) {
    for (const link of [...nodeByLink.keys()].toSorted()) {
      const node = nodeByLink.get(link) ?? link;
      const links = this.linksByNode.get(node);
      if (links === undefined) this.linksByNode.set(node, [link]);
      else links.push(link);
    }
  }

  /** Reads the links there are now. */
  static async read(files: Files): Promise<DeviceLinks> {
    const found = await Promise.all(
      directories.map(async (directory) => {
        const names = await files.list(directory);
        return Promise.all(names.map((name) => leadsTo(files, directory, name)));
      }),
    );
    return new DeviceLinks(new Map(found.flat().filter((pair) => pair !== undefined)));
  }

  /** The node that a path leads to; a path that is no link of udev's is taken for a node. `undefined` for a link that isn't there. */
  node(path: string): string | undefined {
    const node = this.nodeByLink.get(path);
    if (node !== undefined) return node;
    return path.startsWith('/dev/disk/') ? undefined : path;
  }

  /**
   * The name a device goes by: its first link in alphabetical order that is below `by-id` or `by-path`.
   * `undefined` when it has none.
   */
  idOf(node: string): string | undefined {
    const links = this.linksByNode.get(node) ?? [];
    return links.find((link) => isIdentifying(link) && !link.startsWith(skippedPrefix));
  }

  /** Whether two paths are the same device. */
  same(a: string, b: string): boolean {
    if (a === b) return true;
    const node = this.node(a);
    return node !== undefined && node === this.node(b);
  }

  has(link: string): boolean {
    return this.nodeByLink.has(link);
  }
}

function isIdentifying(link: string): boolean {
  return link.startsWith('/dev/disk/by-id/') || link.startsWith('/dev/disk/by-path/');
}

async function leadsTo(files: Files, directory: string, name: string): Promise<[string, string] | undefined> {
  const link = `${directory}/${name}`;
  try {
    const target = await files.readLink(link);
    return [link, resolve(directory, target)];
  } catch {
    // Gone since it was listed.
    return undefined;
  }
}

function resolve(directory: string, target: string): string {
  if (target.startsWith('/')) return target;
  const parts = directory.split('/');
  for (const part of target.split('/')) {
    if (part === '..') parts.pop();
    else if (part !== '.') parts.push(part);
  }
  return parts.join('/');
}

/** The path of the whole drive when the path is a link to one of its partitions. */
export function withoutPartition(path: string): string {
  return path.replace(/-part\d+$/u, '');
}

/** The kernel's node of the drive that a node is a partition of; the node itself when it is a drive. */
export function diskNode(node: string): string {
  return node
    .replace(/(?<=\/(?:sd|vd|xvd)[a-z]+)\d+$/u, '')
    .replace(/(?<=\/(?:nvme\d+n\d+|mmcblk\d+))p\d+$/u, '');
}
