/** From what was typed to a machine that can be switched on; what is missing is built. */
import { spawn } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { findArchive } from '../../../image/tools/archive.ts';
import { cacheDirectory } from '../../../image/tools/cache.ts';
import { checkHost } from '../../../image/tools/host-check.ts';
import { toolsRoot, withScratch } from '../../../image/tools/roots.ts';
import { UserError } from '../../../image/tools/sentence.ts';
import { findAccelerator } from '../accelerator.ts';
import { type Client, ensureClient, seedOf } from '../client.ts';
import { makeDriveFile } from '../control/drive-commands.ts';
import { checkNetwork } from '../control/nic-commands.ts';
import { Machine } from '../machine.ts';
import { newestImage } from '../newest-image.ts';
import { clearUnfinished, layerMachine, makeMachine } from './new-machine.ts';
import { describedBy, type RunOptions } from './options.ts';
import type { Progress } from './progress.ts';
import { bringsIncusSeed, mergedSeed, readSeed } from './seed.ts';
import { typed } from './usage-error.ts';
import { shown } from './welcome.ts';

const top = join(import.meta.dirname, '../../..');

export interface Prepared {
  readonly machine: Machine;
  readonly client: Client;
  /** Whether the seed named others than the client. */
  readonly foreign: boolean;
  /** Removes what was made for this run only. */
  readonly dispose: () => void;
}

/** @throws UserError saying what has to be different. */
export async function prepare(options: RunOptions, progress: Progress): Promise<Prepared> {
  if (process.getuid?.() !== 0)
    throw new UserError('The virtual machine needs root: QEMU runs in a mount namespace of its own.');
  const { directory } = options;
  usable(directory);
  const found = new Machine({ tools: '', directory, accelerator: 'tcg' });
  if (options.snapshot && !found.exists) {
    // Nothing is to be kept, so nothing has to be kept apart either.
    return inScratch((scratch) => made({ ...options, directory: scratch }, directory, progress));
  }
  if (!options.snapshot) return { ...(await made(options, directory, progress)), dispose: () => undefined };
  return inScratch((scratch) => layered(options, scratch, progress));
}

/** The directory's machine, made unless it is there. @param claimed the directory for the control socket. */
async function made(
  options: RunOptions,
  claimed: string,
  progress: Progress,
): Promise<Omit<Prepared, 'dispose'>> {
  const { directory } = options;
  const { tools, accelerator } = await equipment(options);
  const machine = new Machine({ tools, directory, accelerator });
  await machine.claim(claimed);
  clearUnfinished(directory);
  const description = typed(() => describedBy(machine.description, options));
  for (const { network } of description.nics) checkNetwork(network);
  await ensurePortFree(description.port);
  const client = await ensureClient(tools, machine.path('incus'));
  let foreign = false;
  if (machine.exists) {
    refuseForNew(options);
  } else {
    const theirs = options.seed === undefined ? {} : await readSeed(options.seed);
    foreign = bringsIncusSeed(theirs);
    if (foreign)
      progress.say(
        `the seed has an incus seed of its own: the machine trusts the client in ${shown(machine.path('incus'))} only if that names its certificate`,
      );
    const image = options.image ?? (await anImage());
    progress.say(`making a machine from ${shown(image)} …`);
    await makeMachine(machine, image, mergedSeed(theirs, seedOf(client)));
  }
  for (const drive of description.drives) await makeDriveFile(machine, drive);
  machine.describe(description);
  return { machine, client, foreign };
}

async function layered(
  options: RunOptions,
  scratch: string,
  progress: Progress,
): Promise<Omit<Prepared, 'dispose'>> {
  const { directory } = options;
  refuseForNew(options);
  const { tools, accelerator } = await equipment(options);
  const base = new Machine({ tools, directory, accelerator });
  const machine = new Machine({ tools, directory: scratch, accelerator, base: directory });
  await machine.claim(directory);
  const description = typed(() => describedBy(base.description, options));
  for (const { network } of description.nics) checkNetwork(network);
  await ensurePortFree(description.port);
  progress.say(`on copies of the machine in ${shown(directory)}, which are thrown away at the end`);
  await layerMachine(base, machine);
  for (const drive of description.drives) await makeDriveFile(machine, drive);
  machine.describe(description);
  return { machine, client: await ensureClient(tools, machine.path('incus')), foreign: false };
}

async function inScratch(
  prepareIn: (scratch: string) => Promise<Omit<Prepared, 'dispose'>>,
): Promise<Prepared> {
  const parent = join(cacheDirectory(), 'scratch');
  mkdirSync(parent, { recursive: true });
  const scratch = mkdtempSync(join(parent, 'vm-'));
  const dispose = (): void => rmSync(scratch, { recursive: true, force: true });
  try {
    return { ...(await prepareIn(scratch)), dispose };
  } catch (error) {
    dispose();
    throw error;
  }
}

/** QEMU and the firmware, and how the guest's processor is made. */
async function equipment(
  options: RunOptions,
): Promise<Pick<Machine, 'tools'> & Pick<ConstructorParameters<typeof Machine>[0], 'accelerator'>> {
  const tools = await toolsRoot(findArchive('amd64'));
  const accelerator =
    options.accelerator ?? (await withScratch((scratch) => findAccelerator(tools, scratch)));
  return { tools, accelerator };
}

function refuseForNew({ seed, image, directory }: RunOptions): void {
  if (seed !== undefined)
    throw new UserError(`${shown(directory)} was started before; --seed is for a first start.`);
  if (image !== undefined)
    throw new UserError(`${shown(directory)} holds a machine already; --image is for a new one.`);
}

/** The newest image, built when there is none. */
async function anImage(): Promise<string> {
  try {
    return newestImage();
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
  }
  checkHost();
  const child = spawn(join(top, 'bin/image'), [], { stdio: 'inherit' });
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new UserError('there is no image, and it could not be built.');
  return newestImage();
}

/** @throws UserError when nothing can be kept there. */
function usable(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true });
    accessSync(directory, constants.W_OK);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    throw new UserError(`${directory} can't be used for a machine (${code}); choose another --dir.`);
  }
  if (existsSync(join(directory, 'ctl.sock', '.')))
    throw new UserError(`${directory}/ctl.sock is a directory.`);
}

/** @throws UserError when another program has the port. */
export async function ensurePortFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'is in use by another program'
          : `can't be used (${error.code ?? error.message})`;
      reject(new UserError(`port ${port} ${why}; choose another with --port.`));
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}
