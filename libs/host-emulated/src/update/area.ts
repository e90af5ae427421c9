/** Where the installed operating system's releases come from, and whom it trusts to sign them. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ProgramError } from '@incusos/host';
import type { Area } from '../area.ts';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { ensureSigningPki } from './signing-pki.ts';

/** Where the authorities of a machine's releases are kept, below the machine's directory. */
const pkiDirectory = 'pki';

const trustDirectory = '/usr/lib/incus-os/trust';

export const update: Area = {
  name: 'update',
  tools: {},
  populate,
  powerOff: () => Promise.resolve(),
  commands: [],
};

/** Only a server on this computer: what runs for development or a test asks nobody else for releases. */
const imageServer = 'http://127.0.0.1:8555';

async function populate(machine: EmulatedMachine): Promise<void> {
  await place(machine, '/usr/lib/incus-os/image-server', `${imageServer}\n`);
  const pki = await ensureSigningPki(join(machine.directory, pkiDirectory)).catch(whenMissing);
  if (pki === undefined) return;
  await Promise.all([
    place(machine, `${trustDirectory}/root.pem`, await readFile(pki.root, 'utf8')),
    place(machine, `${trustDirectory}/update.pem`, await readFile(pki.updateCa, 'utf8')),
  ]);
}

/** Without `openssl` the machine runs all the same; it just trusts nobody's releases. */
function whenMissing(error: unknown): undefined {
  if (!(error instanceof ProgramError && error.failure === 'not-found')) throw error;
}

async function place({ files }: EmulatedMachine, path: string, text: string): Promise<void> {
  const present = (await files.exists(path)) ? await files.readText(path) : undefined;
  if (present !== text) await files.writeAtomic(path, text);
}
