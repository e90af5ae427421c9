/** From what was typed to a machine that can be switched on; what is missing is built. */
import { spawn, spawnSync } from 'node:child_process';
import { accessSync, constants, copyFileSync, existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
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
import { ensureNotRunning } from '../control/server.ts';
import type { Description } from '../hardware/description.ts';
import { type Accelerator, Machine } from '../machine.ts';
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

/** @throws UserError saying what has to be different; what can be seen without building anything comes first. */
export async function prepare(options: RunOptions, progress: Progress): Promise<Prepared> {
  if (process.getuid?.() !== 0)
    throw new UserError('The virtual machine needs root: QEMU runs in a mount namespace of its own.');
  const { directory } = options;
  const found = new Machine({ tools: '', directory, accelerator: 'tcg' });
  if (found.exists) refuseForNew(options);
  const description = typed(() => describedBy(found.description, options));
  for (const { network } of description.nics) checkNetwork(network);
  await ensureNotRunning(directory);
  await ensurePortFree(description.port);
  usable(directory);
  clearUnfinished(directory);
  const credentials = Object.values(description.credentials);
  for (const file of credentials) {
    if (!existsSync(join(directory, file)))
      throw new UserError(`there is no ${file} in ${directory}, which is to be a credential.`);
  }
  const equipment = await equipped(options);
  if (!options.snapshot) {
    const machine = new Machine({ ...equipment, directory });
    return { ...(await made(machine, directory, description, options, progress)), dispose: () => undefined };
  }
  return inScratch(async (scratch) => {
    for (const file of credentials) copyFileSync(join(directory, file), join(scratch, file));
    if (found.exists) {
      const base = new Machine({ ...equipment, directory });
      const machine = new Machine({ ...equipment, directory: scratch, base: directory });
      return layered(base, machine, description, progress);
    }
    // Nothing is to be kept, so nothing has to be kept apart either.
    return made(new Machine({ ...equipment, directory: scratch }), directory, description, options, progress);
  });
}

/** The machine, made unless it is there. @param claimed the directory for the control socket. */
async function made(
  machine: Machine,
  claimed: string,
  description: Description,
  options: RunOptions,
  progress: Progress,
): Promise<Omit<Prepared, 'dispose'>> {
  await machine.claim(claimed);
  const client = await ensureClient(machine.tools, machine.path('incus'));
  let foreign = false;
  if (!machine.exists) {
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
  base: Machine,
  machine: Machine,
  description: Description,
  progress: Progress,
): Promise<Omit<Prepared, 'dispose'>> {
  await machine.claim(base.directory);
  progress.say(`on copies of the machine in ${shown(base.directory)}, which are thrown away at the end`);
  await layerMachine(base, machine);
  for (const drive of description.drives) await makeDriveFile(machine, drive);
  machine.describe(description);
  return { machine, client: await ensureClient(machine.tools, machine.path('incus')), foreign: false };
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
async function equipped(
  options: RunOptions,
): Promise<{ readonly tools: string; readonly accelerator: Accelerator }> {
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
  // Node's own recursive mkdir never ends below /proc (nodejs/node#31481).
  const made = spawnSync('mkdir', ['-p', '--', directory], { encoding: 'utf8' });
  const why = made.stderr.trim().split(': ').at(-1) ?? '';
  if (made.status !== 0)
    throw new UserError(`${directory} can't be used for a machine (${why}); choose another --dir.`);
  try {
    accessSync(directory, constants.W_OK);
  } catch {
    throw new UserError(`${directory} can't be written to; choose another --dir.`);
  }
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
