import type { Machine } from '../machine.ts';
import type { Qmp } from '../qmp.ts';

/** Does something with QEMU when the machine is on, and nothing when it is off. */
export async function live(machine: Machine, work: (qmp: Qmp) => Promise<unknown>): Promise<void> {
  if (!machine.isRunning()) return;
  const qmp = await machine.control('ctl.qmp');
  try {
    await work(qmp);
  } finally {
    qmp.close();
  }
}
