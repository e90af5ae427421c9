import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readDescription } from '../hardware/description.ts';
import { Machine } from '../machine.ts';
import { control } from './client.ts';
import type { ControlRequest } from './command.ts';
import { controlCommands } from './commands.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'ctl-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

/** A machine that is off, since nothing is started here. */
function aMachine(): Machine {
  writeFileSync(join(directory, 'disk.raw'), '');
  return new Machine({ tools: '', directory, accelerator: 'tcg' });
}

async function ctl(words: string, options: ControlRequest['options'] = {}): Promise<string> {
  const command = controlCommands.find(({ name }) => words === name || words.startsWith(`${name} `));
  if (command === undefined) throw new Error(`there is no command ${words}`);
  const args = words.slice(command.name.length).split(' ').filter(Boolean);
  return control(directory, command, args, options);
}

describe('a machine that a process has', () => {
  let machine: Machine;
  beforeEach(async () => {
    machine = aMachine();
    await machine.claim();
  });
  afterEach(() => machine.kill());

  it('is changed by that process', async () => {
    expect(await ctl('nic add enp6s0')).toMatch(/^added NIC enp6s0 with MAC 52:54:00:/u);
    expect(machine.description.nics.map(({ name }) => name)).toEqual(['enp5s0', 'enp6s0']);
    expect(await ctl('nic link enp6s0 down')).toBe('the link of enp6s0 is down');
    expect(JSON.parse(await ctl('show'))).toMatchObject({ power: 'off', nics: [{}, { link: 'down' }] });
  });

  it('is changed by one command after the other', async () => {
    const names = Array.from({ length: 8 }, (_, index) => `n${index}`);
    await Promise.all(names.map((name) => ctl(`nic add ${name}`)));
    expect(machine.description.nics).toHaveLength(9);
  });

  it('is no other process’s', async () => {
    await expect(new Machine({ tools: '', directory, accelerator: 'tcg' }).claim()).rejects.toThrow(
      `a machine is already running in ${directory}; stop it first`,
    );
  });

  it.each([
    ['power cut', 'the machine is off already'],
    ['power off', 'the machine is off already'],
    ['power reset', 'the machine is off'],
    ['screenshot /tmp/x.png', 'the machine is off, and so is its screen'],
    ['drive add disk1', 'a new drive needs --size, such as --size 10GiB'],
    ['drive remove disk1', "no drive 'disk1' is plugged in; there are: none"],
    ['drive fail disk1', "no drive 'disk1' is plugged in; there are: none"],
    ['nic add Lan', 'Lan is no name of a NIC'],
    ['nic add enp5s0', 'the machine has a NIC enp5s0 already'],
    ['nic remove lan', 'the machine has no NIC lan; it has enp5s0'],
    ['nic link enp5s0 sideways', "a link is up or down, not 'sideways'"],
    ['tpm melt', "'melt' is none of clear, remove and insert"],
    ['secure-boot maybe', "'maybe' is neither on nor off"],
  ])('answers %s with a sentence and stays as it was', async (words, sentence) => {
    const before = machine.description;
    await expect(ctl(words)).rejects.toThrow(sentence);
    expect(machine.description).toEqual(before);
  });

  it('refuses networks, buses and sizes that there are not', async () => {
    await expect(ctl('nic add lan', { network: 'wifi' })).rejects.toThrow('there is no network wifi');
    await expect(ctl('nic add lan', { network: 'bridge:br404' })).rejects.toThrow(
      'this computer has no bridge br404',
    );
    await expect(ctl('drive add a', { size: '1GiB', bus: 'ide' })).rejects.toThrow('there is no bus ide');
    await expect(ctl('drive add a', { size: 'much' })).rejects.toThrow('the size much is no size');
  });
});

describe('a machine that no process has', () => {
  it('is changed all the same', async () => {
    aMachine();
    expect(await ctl('tpm remove')).toBe('the TPM is out when the machine is switched on next');
    expect(await ctl('secure-boot off')).toBe('Secure Boot is off when the machine is switched on next');
    expect(readDescription(directory)).toMatchObject({ tpm: false, secure_boot: false });
    expect(existsSync(join(directory, 'ctl.sock'))).toBe(false);
  });

  it('has no power to switch', async () => {
    aMachine();
    await expect(ctl('power on')).rejects.toThrow(`no machine runs in ${directory}; npm run vm starts one.`);
  });

  it('has to be there', async () => {
    await expect(ctl('show')).rejects.toThrow(`there is no machine in ${directory}; npm run vm makes one.`);
  });
});

it('has the words of the emulated machine for what both can do', () => {
  const words = controlCommands.map(({ name, args }) => [name, ...args.map((arg) => arg.name)].join(' '));
  expect(words).toEqual(
    expect.arrayContaining([
      ...['show', 'power cut', 'power on', 'nic add <name>', 'nic remove <name>', 'nic link <name> <state>'],
      ...['drive add <id>', 'drive remove <id>', 'drive fail <id>', 'secure-boot <state>', 'tpm <change>'],
    ]),
  );
});
