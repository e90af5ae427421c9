/** Memory in bytes, as a whole and by NUMA node (proc(5), meminfo). */
import { ResourcesMemory, ResourcesMemoryNode } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

const nodes = '/sys/devices/system/node';

export async function readMemory(kernel: KernelView): Promise<ResourcesMemory> {
  const [text, names] = await Promise.all([kernel.text('/proc/meminfo'), kernel.list(nodes)]);
  const info = parseMemInfo(text ?? '');
  const ids = names
    .flatMap((name) => /^node(\d+)$/u.exec(name)?.[1] ?? [])
    .map(Number)
    .toSorted((a, b) => a - b);
  const page = bytes(info, 'Hugepagesize');
  const list = await Promise.all(ids.map((id) => readNode(kernel, id, page)));
  return ResourcesMemory.create({
    // One node only is the whole machine and says nothing more.
    nodes: list.length > 1 ? list : [],
    ...figures(info, page),
    hugepages_size: page,
  });
}

async function readNode(kernel: KernelView, id: number, page: bigint): Promise<ResourcesMemoryNode> {
  const info = parseMemInfo((await kernel.text(`${nodes}/node${id}/meminfo`)) ?? '');
  return ResourcesMemoryNode.create({ numa_node: id, ...figures(info, page) });
}

type MemInfo = ReadonlyMap<string, bigint>;

function figures(
  info: MemInfo,
  page: bigint,
): { total: bigint; used: bigint; hugepages_total: bigint; hugepages_used: bigint } {
  const total = bytes(info, 'MemTotal');
  const free =
    bytes(info, 'MemFree') + bytes(info, 'Cached') + bytes(info, 'FilePages') + bytes(info, 'Buffers');
  const pages = info.get('HugePages_Total') ?? 0n;
  const freePages = info.get('HugePages_Free') ?? 0n;
  return {
    total,
    used: free > total ? 0n : total - free,
    hugepages_total: pages * page,
    hugepages_used: (pages - freePages) * page,
  };
}

function bytes(info: MemInfo, key: string): bigint {
  return (info.get(key) ?? 0n) * 1024n;
}

/** The figures of a meminfo file, as they are there: KiB, or a count. */
export function parseMemInfo(text: string): MemInfo {
  return new Map(
    [...text.matchAll(/^(?:Node \d+ )?([\w()]+):\s+(\d+)/gmu)].map(([, key = '', value = '0']) => [
      key,
      BigInt(value),
    ]),
  );
}
