/** What the kernel shows of itself below `/proc`: counters computed at each read, settings kept as files. */
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { moduleUsers, moduleOf } from './kernel-modules.ts';

/** `/proc/sys` right after the kernel started. */
const settings: Readonly<Record<string, string>> = {
  'kernel/arch': 'x86_64',
  'kernel/hostname': 'localhost',
  'kernel/ostype': 'Linux',
  'kernel/pid_max': '4194304',
  'net/core/default_qdisc': 'pfifo_fast',
  'net/core/netdev_max_backlog': '1000',
  'net/core/rmem_max': '212992',
  'net/core/wmem_max': '212992',
  'net/ipv4/conf/all/arp_ignore': '0',
  'net/ipv4/tcp_congestion_control': 'cubic',
  'net/ipv4/tcp_mtu_probing': '0',
  'net/ipv4/tcp_rmem': '4096\t131072\t6291456',
  'net/ipv4/tcp_wmem': '4096\t16384\t4194304',
  'vm/nr_hugepages': '0',
  'vm/swappiness': '60',
};

export async function populateProcfs(machine: EmulatedMachine): Promise<void> {
  const { system } = machine.read();
  const { files } = machine;
  const put = async (path: string, text: string): Promise<void> => {
    if (!(await files.exists(path))) await files.append(path, `${text}\n`);
  };
  for (const [name, value] of Object.entries(settings)) await put(`/proc/sys/${name}`, value);
  await put('/proc/sys/kernel/osrelease', system.kernel.release);
  await put('/proc/sys/kernel/random/boot_id', system.power.boot_id);
  await put(
    '/proc/version',
    `Linux version ${system.kernel.release} (debian-kernel@lists.debian.org) (x86_64-linux-gnu-gcc-14) #1 SMP PREEMPT_DYNAMIC Debian 6.12.57-1 (2025-11-05)`,
  );
  await put('/proc/cpuinfo', cpuinfo(system.cpu).trimEnd());
  await put(
    '/proc/stat',
    `cpu  0 0 0 0 0 0 0 0 0 0\nbtime ${Math.floor(Date.parse(system.power.booted_at) / 1000)}`,
  );
  await put('/proc/cmdline', 'rw vt.handoff=1 intel_iommu=on quiet loglevel=0 systemd.show_status=0');
  await put('/proc/tty/drivers', 'serial               /dev/ttyS       4 64-95 serial');
}

/** Files whose content depends on the moment they are read. */
export const liveProcFiles: Readonly<Record<string, (machine: EmulatedMachine) => string | Promise<string>>> =
  {
    '/proc/uptime': (machine) => {
      const seconds = uptime(machine);
      const { cpu } = machine.read().system;
      return `${seconds.toFixed(2)} ${(seconds * cpu.sockets * cpu.cores * cpu.threads * 0.98).toFixed(2)}\n`;
    },
    '/proc/loadavg': (machine) => `0.08 0.03 0.01 1/142 ${machine.read().system.next_pid}\n`,
    '/proc/meminfo': meminfo,
    '/proc/swaps': (machine) => {
      const lines = Object.entries(machine.read().system.swaps).map(
        ([device, { size, priority }]) => `${device.padEnd(40)}partition\t${size}\t\t0\t\t${priority}\n`,
      );
      return `Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n${lines.join('')}`;
    },
    '/proc/modules': (machine) => {
      const loaded = machine.read().system.kernel.modules;
      return loaded
        .toReversed()
        .map((name) => {
          const users = moduleUsers(name, loaded);
          const by = users.length === 0 ? '-' : `${users.join(',')},`;
          return `${name} ${moduleOf(name)?.size ?? 16_384} ${users.length + (moduleOf(name)?.references ?? 0)} ${by} Live 0x0000000000000000\n`;
        })
        .join('');
    },
    '/proc/sys/net/ipv4/tcp_available_congestion_control': (machine) =>
      `${congestionControls(machine).join(' ')}\n`,
    '/sys/devices/system/node/node0/meminfo': async (machine) => {
      const wanted = ['MemTotal', 'MemFree', 'HugePages_Total', 'HugePages_Free'];
      const lines = (await meminfo(machine))
        .split('\n')
        .filter((line) => wanted.includes(line.slice(0, line.indexOf(':'))));
      return lines.map((line) => `Node 0 ${line}\n`).join('');
    },
  };

/** The congestion control algorithms of the kernel and its loaded modules. */
export function congestionControls(machine: EmulatedMachine): string[] {
  return machine.read().system.kernel.modules.includes('tcp_bbr')
    ? ['reno', 'cubic', 'bbr']
    : ['reno', 'cubic'];
}

function uptime(machine: EmulatedMachine): number {
  const { power } = machine.read().system;
  return power.state === 'off' ? 0 : Math.max(0, Date.now() - Date.parse(power.booted_at)) / 1000;
}

async function meminfo(machine: EmulatedMachine): Promise<string> {
  const { system } = machine.read();
  const hugepages = Number(await machine.files.readText('/proc/sys/vm/nr_hugepages').catch(() => '0'));
  const total = Math.floor((system.memory / 1024) * 0.982);
  const free = Math.max(0, Math.floor(total * 0.78) - hugepages * 2048);
  const swap = Object.values(system.swaps).reduce((sum, { size }) => sum + size, 0);
  const rows: [string, number, string?][] = [
    ['MemTotal', total],
    ['MemFree', free],
    ['MemAvailable', Math.floor(free * 1.1)],
    ['Buffers', Math.floor(total * 0.004)],
    ['Cached', Math.floor(total * 0.09)],
    ['SwapCached', 0],
    ['SwapTotal', swap],
    ['SwapFree', swap],
    ['Shmem', 9_216],
    ['SReclaimable', 61_440],
    ['HugePages_Total', hugepages, ''],
    ['HugePages_Free', hugepages, ''],
    ['HugePages_Rsvd', 0, ''],
    ['HugePages_Surp', 0, ''],
    ['Hugepagesize', 2048],
    ['Hugetlb', hugepages * 2048],
  ];
  return rows
    .map(([name, value, unit = ' kB']) => `${`${name}:`.padEnd(15)} ${String(value).padStart(8)}${unit}\n`)
    .join('');
}

function cpuinfo({
  vendor,
  model,
  sockets,
  cores,
  threads,
  flags,
  frequency,
}: {
  vendor: string;
  model: string;
  sockets: number;
  cores: number;
  threads: number;
  flags: readonly string[];
  frequency: { maximum: number };
}): string {
  let text = '';
  for (let id = 0; id < sockets * cores * threads; id += 1) {
    const core = Math.floor(id / threads);
    text += [
      `processor\t: ${id}`,
      `vendor_id\t: ${vendor}`,
      'cpu family\t: 6',
      'model\t\t: 85',
      `model name\t: ${model}`,
      'stepping\t: 7',
      `cpu MHz\t\t: ${(frequency.maximum / 1000).toFixed(3)}`,
      'cache size\t: 28160 KB',
      `physical id\t: ${Math.floor(core / cores)}`,
      `siblings\t: ${cores * threads}`,
      `core id\t\t: ${core % cores}`,
      `cpu cores\t: ${cores}`,
      `flags\t\t: ${flags.join(' ')}`,
      'address sizes\t: 46 bits physical, 48 bits virtual',
      'power management:',
      '',
      '',
    ].join('\n');
  }
  return text;
}
