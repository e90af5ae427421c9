/** The processes of an emulated appliance, as a fault may hit them. */
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';

const programs = new LocalPrograms();

interface Running {
  readonly pid: number;
  readonly args: string;
}

/** The processes of the appliance in `directory`: they have its sockets in their environment or arguments. */
export async function processesOf(directory: string): Promise<Running[]> {
  const { stdout } = await programs.run(['ps', '-eo', 'pid=,args=', 'e', '-ww'], {
    maxOutputBytes: 64 * 1024 * 1024,
  });
  return stdout
    .split('\n')
    .map((line) => /^\s*(\d+)\s+(.*)$/u.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ pid: Number(match[1]), args: match[2] ?? '' }))
    .filter(
      ({ args }) =>
        args.includes(`INCUSOS_RUN_DIR=${join(directory, 'run')} `) ||
        args.includes(join(directory, 'run/valkey.sock')),
    );
}

/** Kills a service, the gateway or `valkey` without any warning. */
export async function killService(directory: string, name: string): Promise<void> {
  const mark = name === 'valkey' ? /valkey-server|redis-server/u : new RegExp(`apps/${name}/main\\.mjs`, 'u');
  const found = (await processesOf(directory)).filter(({ args }) => mark.test(args));
  if (found.length === 0) throw new Error(`${name} does not run`);
  for (const { pid } of found) process.kill(pid, 'SIGKILL');
}
