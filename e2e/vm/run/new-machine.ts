/**
 * Makes what a machine is kept in: from an image, or as layers over a machine that is to stay as it is.
 *
 * Invariant: a directory in which this was interrupted holds no machine; the next start makes it anew.
 */
import { copyFileSync, cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { inside } from '../../../image/tools/roots.ts';
import { addConsole } from '../console-addon.ts';
import { Disk } from '../harness/disk.ts';
import { writeDescription } from '../hardware/description.ts';
import { fileOf } from '../hardware/devices.ts';
import type { Machine } from '../machine.ts';
import { writeSeed } from '../seed-partition.ts';
import type { SeedFiles } from './seed.ts';

const mark = 'unfinished';
const machineFiles = ['disk.raw', 'disk.qcow2', 'disk.partial', 'vars.fd', 'tpm'] as const;

/** Removes what an interrupted {@link makeMachine} left. */
export function clearUnfinished(directory: string): void {
  if (!existsSync(join(directory, mark))) return;
  for (const name of [...machineFiles, mark]) rmSync(join(directory, name), { recursive: true, force: true });
}

/** Makes a machine that was never switched on. */
export async function makeMachine(machine: Machine, image: string, seed: SeedFiles): Promise<void> {
  writeFileSync(machine.path(mark), '');
  machine.create(image);
  await writeSeed(machine.path('disk.raw'), seed);
  await addConsole(machine.tools, machine.directory, join(dirname(dirname(image)), 'keys'));
  await new Disk(machine.tools, machine.path('disk.raw')).layer();
  rmSync(machine.path(mark));
}

/** Makes `over` a machine that begins as `base` and changes nothing of it. */
export async function layerMachine(base: Machine, over: Machine): Promise<void> {
  const { description } = base;
  const disk = existsSync(base.path('disk.qcow2')) ? 'disk.qcow2' : 'disk.raw';
  await layer(base, over, disk, 'disk.qcow2');
  mkdirSync(over.path('drives'));
  for (const drive of description.drives) await layer(base, over, fileOf(drive), fileOf(drive));
  copyFileSync(base.path('vars.fd'), over.path('vars.fd'));
  for (const name of ['tpm', 'incus'])
    cpSync(base.path(name), over.path(name), { recursive: true, preserveTimestamps: true });
  writeDescription(over.directory, description);
}

async function layer(base: Machine, over: Machine, below: string, name: string): Promise<void> {
  const format = below.endsWith('.qcow2') ? 'qcow2' : 'raw';
  const create = ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', format, '-b', `/base/${below}`];
  await inside(over.tools, [...create, `/vm/${name}`], {
    log: over.path('qemu-img.log'),
    mounts: { '/vm': over.directory, '/base': base.directory },
  });
}
