/** How busy the machine is (proc_loadavg(5)). */
import { ResourcesLoad } from '@incusos/contracts/system';
import type { KernelView } from './kernel-view.ts';

export async function readLoad(kernel: KernelView): Promise<ResourcesLoad> {
  const [one, five, fifteen, processes] = ((await kernel.text('/proc/loadavg')) ?? '').split(' ');
  return ResourcesLoad.create({
    average_1_min: Number(one ?? 0),
    average_5_min: Number(five ?? 0),
    average_10_min: Number(fifteen ?? 0),
    processes: Number(processes?.split('/')[1] ?? 0),
  });
}
