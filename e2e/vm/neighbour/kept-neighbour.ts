/** The neighbour as it is just after its boot, made once and kept with its memory. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { findArchive } from '../../../image/tools/archive.ts';
import { cached, keyOf } from '../../../image/tools/cache.ts';
import { output } from '../../../image/tools/programs.ts';
import { insideArgv, withScratch } from '../../../image/tools/roots.ts';
import { say } from '../../../image/tools/sentence.ts';
import type { Host } from '../harness/test-machine.ts';
import { Neighbour } from './neighbour.ts';
import { neighbourRoot } from './root.ts';

export interface KeptNeighbour {
  /** With its kernel and disk. */
  readonly root: string;
  /** With its memory. */
  readonly memory: string;
}

/** @throws Error when it can't be made. */
export async function keptNeighbour(host: Host): Promise<KeptNeighbour> {
  const root = await neighbourRoot(findArchive('amd64'), host.tools);
  const qemu = output(insideArgv(host.tools, {}, ['qemu-system-x86_64', '--version']));
  const machine = readFileSync(join(import.meta.dirname, 'neighbour.ts'), 'utf8');
  // A memory fits only the hardware that it was in.
  const memory = await cached(`neighbour-memory-${keyOf(root, qemu, host.accelerator, machine)}`, (target) =>
    make(host, root, target),
  );
  return { root, memory };
}

async function make(host: Host, root: string, target: string): Promise<void> {
  say('booting the neighbour …');
  const began = performance.now();
  mkdirSync(target, { recursive: true });
  // Short, since there are sockets in it.
  await withScratch(async (directory) => {
    const neighbour = await Neighbour.boot(host, { root, directory, cables: join(directory, 'cables') });
    try {
      await neighbour.keep(target);
    } finally {
      await neighbour.end();
    }
  });
  say(`  booted and kept: ${((performance.now() - began) / 1_000).toFixed(1)} s`);
}
