import { X509Certificate } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { update } from './area.ts';
import { ensureSigningPki } from './signing-pki.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'pki-'));
});

afterEach(() => rm(directory, { recursive: true, force: true }));

async function certificate(path: string): Promise<X509Certificate> {
  return new X509Certificate(await readFile(path));
}

describe('the authorities of an emulated machine', () => {
  it('are a root and an update CA below it, whose keys only the owner can read', async () => {
    const pki = await ensureSigningPki(join(directory, 'pki'));
    const [root, updateCa] = await Promise.all([certificate(pki.root), certificate(pki.updateCa)]);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(updateCa.checkIssued(root) && updateCa.verify(root.publicKey)).toBe(true);
    expect([root.ca, updateCa.ca]).toEqual([true, true]);
    expect((await stat(join(directory, 'pki'))).mode & 0o777).toBe(0o700);
  });

  it('are made once, whoever asks at the same time', async () => {
    const asked = await Promise.all([1, 2, 3].map(() => ensureSigningPki(join(directory, 'pki'))));
    const fingerprints = await Promise.all(
      asked.map(async ({ root }) => (await certificate(root)).fingerprint256),
    );
    expect(new Set(fingerprints).size).toBe(1);
    expect(await readdir(directory)).toEqual(['pki']);
  });

  it('are in the image of the operating system, and stay the same over power cuts', async () => {
    const machine = new EmulatedMachine(directory);
    machine.create();
    await update.populate(machine);
    const trusted = await machine.files.readText('/usr/lib/incus-os/trust/root.pem');
    await update.powerOff(machine);
    await machine.files.remove('/usr/lib/incus-os/trust');
    await update.populate(machine);
    expect(await machine.files.readText('/usr/lib/incus-os/trust/root.pem')).toBe(trusted);
    expect(await machine.files.readText('/usr/lib/incus-os/trust/update.pem')).toBe(
      await readFile(join(directory, 'pki/update.pem'), 'utf8'),
    );
  });
});
