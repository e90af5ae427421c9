/** Compressed swap in memory on `/dev/zram0` (Documentation/admin-guide/blockdev/zram.rst). */
import { setTimeout as sleep } from 'node:timers/promises';
import { SystemKernelStateMemoryZramSwap } from '@incusos/contracts/system';
import { type Host, ProgramError, type RunResult } from '@incusos/host';

const device = '/dev/zram0';
const sysfs = '/sys/block/zram0';

/** zramctl reports a busy device for a moment after it was released. */
const tries = 10;
const pauseMs = 100;

async function patiently(host: Host, argv: readonly [string, ...string[]]): Promise<RunResult> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await host.programs.run(argv);
    } catch (error) {
      if (!(error instanceof ProgramError) || attempt === tries) throw error;
      await sleep(pauseMs);
    }
  }
}

/** Makes the swap `size` bytes large; with 0 there is none afterwards. A swap of that size is left alone. */
export async function applyZramSwap(host: Host, size: bigint): Promise<void> {
  const inUse = (await host.files.readText('/proc/swaps'))
    .split('\n')
    .some((line) => line.startsWith(`${device} `));
  const present = await host.files.exists(device);
  if (inUse && (await numberIn(host, 'disksize')) === size) return;
  if (inUse) await host.programs.run(['swapoff', device]);
  // Since util-linux 2.41 this removes the device.
  if (present) await patiently(host, ['zramctl', '--reset', device]);
  if (size === 0n) return;
  await host.programs.run(['modprobe', 'zram']);
  const make = ['zramctl', '--find', '--algorithm', 'zstd', '--size', String(size)] as const;
  const made = (await patiently(host, make)).stdout.trim();
  if (made !== device) throw new Error(`zramctl made ${made} and not ${device}`);
  await host.programs.run(['mkswap', device]);
  await host.programs.run(['swapon', '--priority', '100', device]);
}

async function numberIn(host: Host, name: string): Promise<bigint> {
  return BigInt((await host.files.readText(`${sysfs}/${name}`)).trim());
}

/** The swap's figures in bytes; `undefined` while there is no such device. */
export async function zramState(host: Host): Promise<SystemKernelStateMemoryZramSwap | undefined> {
  if (!(await host.files.exists(device))) return undefined;
  const [disk_size, statistics] = await Promise.all([
    numberIn(host, 'disksize'),
    host.files.readText(`${sysfs}/mm_stat`),
  ]);
  const [original = 0n, compressed = 0n, used = 0n] = statistics.trim().split(/\s+/u).map(BigInt);
  return SystemKernelStateMemoryZramSwap.create({
    disk_size,
    incompressed_size: original,
    compressed_size: compressed,
    total_memory_use: used,
    // JSON knows no NaN: an empty device compresses nothing.
    compression_ratio: used === 0n ? 0 : Number(original) / Number(used),
  });
}
