/** Memory of the appliance's processes: PSS, each page divided among those who share it (proc(5), smaps_rollup). */
import { LocalFiles } from '@incusos/host';

export interface ProcessMemory {
  readonly name: string;
  readonly pid: number;
  /** KiB. */
  readonly pss: number;
}

const proc = new LocalFiles('/proc');

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly args: readonly string[];
}

async function processOf(pid: string): Promise<Process | undefined> {
  try {
    const stat = await proc.readText(`/${pid}/stat`);
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    const args = (await proc.readText(`/${pid}/cmdline`)).split('\0');
    return { pid: Number(pid), parent, args };
  } catch {
    // It ended meanwhile.
    return undefined;
  }
}

/** The memory of a supervisor's Node processes, itself included; the job queue's server is not one of them. */
export async function memoryBelow(supervisor: number): Promise<ProcessMemory[]> {
  const pids = (await proc.list('/')).filter((name) => /^\d+$/u.test(name));
  const all = (await Promise.all(pids.map(processOf))).filter((process) => process !== undefined);
  const ours = all.filter(
    ({ pid, parent, args }) =>
      (pid === supervisor || parent === supervisor) && args.some((arg) => arg.endsWith('main.mjs')),
  );
  const measured = ours.map(async ({ pid, args }) => {
    const pss = /^Pss:\s+(\d+) kB$/mu.exec(await proc.readText(`/${pid}/smaps_rollup`))?.[1];
    const name =
      /apps\/([^/]+)\/main\.mjs/u.exec(args.find((arg) => arg.endsWith('main.mjs')) ?? '')?.[1] ?? 'unknown';
    return { name, pid, pss: Number(pss ?? Number.NaN) };
  });
  return (await Promise.all(measured)).toSorted((a, b) => b.pss - a.pss);
}
