/**
 * The emulated machine for a process that is to be killed in the middle of a change: before the change number
 * `KILLED_BEFORE` of the machine, counted from the record that comes before all others.
 */
import type { Host } from '@incusos/host';
import { openHost as openEmulatedHost } from '@incusos/host-emulated';
import { countedHost } from './counted-host.ts';

const first = /^write .*\/pending\.json$/u;

export async function openHost(): Promise<Host> {
  const last = Number(process.env['KILLED_BEFORE']);
  let count = 0;
  return countedHost(await openEmulatedHost(), async (operation) => {
    if (count === 0 && !first.test(operation)) return;
    count += 1;
    if (count < last) return;
    process.kill(process.pid, 'SIGKILL');
    // Nothing more happens, however long the signal takes.
    await new Promise(() => undefined);
  });
}
