/** Processors (Documentation/admin-guide/cputopology.rst). Frequencies in MHz, cache sizes in bytes. */
import {
  ResourcesCPU,
  ResourcesCPUCache,
  ResourcesCPUCore,
  ResourcesCPUSocket,
  ResourcesCPUThread,
} from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

const base = '/sys/devices/system/cpu';

interface Thread {
  readonly id: number;
  readonly socket: number;
  readonly core: number;
  readonly die: number;
  readonly node: number;
  readonly online: boolean;
  readonly frequency: number;
}

/** What `/proc/cpuinfo` says of one processor. */
type CpuInfo = ReadonlyMap<string, string>;

export async function readCpu(kernel: KernelView): Promise<ResourcesCPU> {
  const [names, info, architecture, isolated] = await Promise.all([
    kernel.list(base),
    kernel.text('/proc/cpuinfo'),
    kernel.text('/proc/sys/kernel/arch'),
    kernel.text(`${base}/isolated`),
  ]);
  const ids = names.flatMap((name) => /^cpu(\d+)$/u.exec(name)?.[1] ?? []).map(Number);
  const threads = await Promise.all(ids.toSorted((a, b) => a - b).map((id) => readThread(kernel, id)));
  const infos = parseCpuInfo(info ?? '');
  const isolatedIds = parseCpuList(isolated ?? '');
  const sockets = new Map<number, Thread[]>();
  for (const thread of threads) sockets.set(thread.socket, [...(sockets.get(thread.socket) ?? []), thread]);
  return ResourcesCPU.create({
    architecture: architecture ?? '',
    sockets: await Promise.all(
      [...sockets].map(([socket, own]) => readSocket(kernel, socket, own, infos, isolatedIds)),
    ),
    total: threads.length,
  });
}

async function readThread(kernel: KernelView, id: number): Promise<Thread> {
  const directory = `${base}/cpu${id}`;
  const [socket, core, die, online, frequency, entries] = await Promise.all([
    kernel.number(`${directory}/topology/physical_package_id`),
    kernel.number(`${directory}/topology/core_id`),
    kernel.number(`${directory}/topology/die_id`),
    kernel.text(`${directory}/online`),
    kernel.number(`${directory}/cpufreq/scaling_cur_freq`),
    kernel.list(directory),
  ]);
  const node = entries.flatMap((name) => /^node(\d+)$/u.exec(name)?.[1] ?? [])[0];
  // The processor that the machine boots from can't be taken offline and has no such file.
  return { id, socket, core, die, node: Number(node ?? 0), online: online !== '0', frequency };
}

async function readSocket(
  kernel: KernelView,
  socket: number,
  threads: readonly Thread[],
  infos: ReadonlyMap<number, CpuInfo>,
  isolated: ReadonlySet<number>,
): Promise<ResourcesCPUSocket> {
  const first = threads[0]?.id ?? 0;
  const info = infos.get(first);
  const directory = `${base}/cpu${first}`;
  const [cache, minimum, maximum] = await Promise.all([
    readCaches(kernel, directory),
    kernel.number(`${directory}/cpufreq/cpuinfo_min_freq`),
    kernel.number(`${directory}/cpufreq/cpuinfo_max_freq`),
  ]);
  const fromInfo = Math.floor(Number(info?.get('cpu MHz') ?? 0));
  const running = threads.filter(({ frequency }) => frequency > 0);
  const average =
    running.reduce((sum, { frequency }) => sum + frequency, 0) / (running.length === 0 ? 1 : running.length);
  const frequency = average > 0 ? megahertz(average) : fromInfo;
  const sizes = /(\d+) bits physical, (\d+) bits virtual/u.exec(info?.get('address sizes') ?? '');
  const flags = (info?.get('flags') ?? info?.get('Features') ?? '').split(' ').filter((flag) => flag !== '');
  return ResourcesCPUSocket.create({
    ...some('name', info?.get('model name')),
    ...some('vendor', info?.get('vendor_id')),
    socket,
    cache,
    cores: readCores(threads, flags, isolated),
    ...(frequency > 0 ? { frequency } : {}),
    ...(minimum > 0 ? { frequency_minimum: megahertz(minimum) } : {}),
    ...(maximum > 0 ? { frequency_turbo: megahertz(maximum) } : {}),
    ...(sizes === null
      ? {}
      : { address_sizes: { physical_bits: Number(sizes[1]), virtual_bits: Number(sizes[2]) } }),
  });
}

function some(key: 'name' | 'vendor', value: string | undefined): { name?: string; vendor?: string } {
  return value === undefined ? {} : { [key]: value };
}

function megahertz(kilohertz: number): number {
  return Math.floor(kilohertz / 1000);
}

function readCores(
  threads: readonly Thread[],
  flags: readonly string[],
  isolated: ReadonlySet<number>,
): ResourcesCPUCore[] {
  const cores = new Map<string, Thread[]>();
  for (const thread of threads) {
    const key = `${thread.die}:${thread.core}`;
    cores.set(key, [...(cores.get(key) ?? []), thread]);
  }
  return [...cores.values()].map((own) =>
    ResourcesCPUCore.create({
      core: own[0]?.core ?? 0,
      die: own[0]?.die ?? 0,
      threads: own.map(({ id, node, online }, thread) =>
        ResourcesCPUThread.create({ id, numa_node: node, thread, online, isolated: isolated.has(id) }),
      ),
      ...((own[0]?.frequency ?? 0) > 0 ? { frequency: megahertz(own[0]?.frequency ?? 0) } : {}),
      flags: [...flags],
    }),
  );
}

async function readCaches(kernel: KernelView, directory: string): Promise<ResourcesCPUCache[]> {
  const names = (await kernel.list(`${directory}/cache`)).filter((name) => /^index\d+$/u.test(name));
  return Promise.all(
    names.map(async (name) => {
      const place = `${directory}/cache/${name}`;
      const [level, type = '', size = ''] = await Promise.all([
        kernel.number(`${place}/level`),
        kernel.text(`${place}/type`),
        kernel.text(`${place}/size`),
      ]);
      return ResourcesCPUCache.create({ level, type, size: parseCacheSize(size) });
    }),
  );
}

/** Sizes such as `32K`. */
function parseCacheSize(text: string): bigint {
  const match = /^(\d+)([KMG]?)$/u.exec(text);
  if (match === null) return 0n;
  const factor = { '': 1n, K: 1024n, M: 1024n ** 2n, G: 1024n ** 3n }[match[2] ?? ''] ?? 1n;
  return BigInt(match[1] ?? 0) * factor;
}

/** The entries of `/proc/cpuinfo` by processor. */
export function parseCpuInfo(text: string): ReadonlyMap<number, CpuInfo> {
  const infos = new Map<number, CpuInfo>();
  for (const block of text.split(/\n\s*\n/u)) {
    const info = new Map(
      [...block.matchAll(/^([^\t:]+?)\s*:[ \t]*(.*)$/gmu)].map(([, key = '', value = '']) => [
        key,
        value.trim(),
      ]),
    );
    const id = info.get('processor');
    if (id !== undefined) infos.set(Number(id), info);
  }
  return infos;
}

/** A list such as `0-3,8`. */
export function parseCpuList(text: string): ReadonlySet<number> {
  const ids = new Set<number>();
  for (const part of text.split(',')) {
    const [from, to = from] = part.split('-');
    if (from === undefined || from.trim() === '') continue;
    for (let id = Number(from); id <= Number(to); id += 1) ids.add(id);
  }
  return ids;
}
