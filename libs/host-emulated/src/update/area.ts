/** What the installed operating system trusts to sign its releases. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProgramError } from '@incusos/host';
import type { Area } from '../area.ts';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { ensureSigningPki } from './signing-pki.ts';

/** Where the authorities of a machine's releases are kept, below the machine's directory. */
export const pkiDirectory = 'pki';

const trustDirectory = '/usr/lib/incus-os/trust';

export const update: Area = {
  name: 'update',
  tools: {},
  populate,
  powerOff: () => Promise.resolve(),
  commands: [],
};

async function populate(machine: EmulatedMachine): Promise<void> {
  const pki = await ensureSigningPki(join(machine.directory, pkiDirectory)).catch(whenMissing);
  if (pki === undefined) return;
  await Promise.all([
    place(machine, 'root.pem', await readFile(pki.root, 'utf8')),
    place(machine, 'update.pem', await readFile(pki.updateCa, 'utf8')),
  ]);
}

/** Without `openssl` the machine runs all the same; it just trusts nobody's releases. */
function whenMissing(error: unknown): undefined {
  if (!(error instanceof ProgramError && error.failure === 'not-found')) throw error;
}

async function place({ files }: EmulatedMachine, name: string, pem: string): Promise<void> {
  const path = `${trustDirectory}/${name}`;
  const present = (await files.exists(path)) ? await files.readText(path) : undefined;
  if (present !== pem) await files.writeAtomic(path, pem);
}
