import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalFiles } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOff, switchOn } from '@incusos/host-emulated';
import { openSeeds } from '@incusos/seeds';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { packSeed, plantSeed } from './seed.ts';

let directory: string;
let files: LocalFiles;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'seed-'));
  files = new LocalFiles(directory);
});

afterEach(() => rmSync(directory, { recursive: true }));

describe('the seed of a first start', () => {
  it('is found by the appliance, also after the machine was without power', async () => {
    await files.writeAtomic('/seeds/update.yaml', 'channel: testing\n');
    await files.writeAtomic('/seeds/provider.json', '{"name":"images"}');
    await files.writeAtomic('/seeds/notes.txt', 'not a seed');
    const machine = new EmulatedMachine(join(directory, 'machine'));
    machine.create();
    await switchOn(machine);
    await plantSeed(await packSeed(join(directory, 'seeds')), machine.files);
    const seeds = openSeeds(openEmulatedHost(machine));
    expect(await seeds.read('update')).toMatchObject({ channel: 'testing' });
    await switchOff(machine);
    await switchOn(machine);
    expect(await seeds.read('provider')).toMatchObject({ name: 'images' });
  });

  it('may be a tar that is made already', async () => {
    await files.writeAtomic('/seeds/update.yaml', 'channel: testing\n');
    await files.writeAtomic('/seed.tar', await packSeed(join(directory, 'seeds')));
    expect(await packSeed(join(directory, 'seed.tar'))).toEqual(await files.readBytes('/seed.tar'));
  });

  it('has to be there', async () => {
    await files.makeDirectory('/empty');
    await expect(packSeed(join(directory, 'none'))).rejects.toThrow('there is no seed at');
    await expect(packSeed(join(directory, 'empty'))).rejects.toThrow(
      'there are no seeds (*.yaml, *.yml, *.json) in',
    );
  });

  it('needs a partition to lie on', async () => {
    await expect(plantSeed(Buffer.from('x'), files)).rejects.toThrow(
      'the machine has no partition seed-data',
    );
  });
});
