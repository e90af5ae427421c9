import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedMachine } from './emulated-machine.ts';

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'machine-'));
  new EmulatedMachine(directory).create();
});

afterEach(() => rmSync(directory, { recursive: true }));

function boots(machine: EmulatedMachine): number {
  return machine.read().system.power.boots;
}

async function countBoot(machine: EmulatedMachine): Promise<void> {
  await machine.change(({ system }) => {
    system.power.boots += 1;
  });
}

describe('a machine that several processes share', () => {
  it('loses no change when two make changes at once', async () => {
    const [one, two] = [new EmulatedMachine(directory), new EmulatedMachine(directory)];
    await Promise.all(Array.from({ length: 60 }, (_value, index) => countBoot(index % 2 === 0 ? one : two)));
    expect([boots(one), boots(two)]).toEqual([60, 60]);
  });

  it('stays as it was when a change fails, and can be changed afterwards', async () => {
    const machine = new EmulatedMachine(directory);
    const failing = machine.change(({ system }) => {
      system.power.boots = 99;
      throw new Error('no');
    });
    await expect(failing).rejects.toThrow('no');
    expect(boots(machine)).toBe(0);
    await countBoot(machine);
    expect(boots(machine)).toBe(1);
  });

  it('can be changed after a process was killed in the middle of a change', async () => {
    const module = resolve(import.meta.dirname, 'emulated-machine.ts');
    const code = `
      import { EmulatedMachine } from ${JSON.stringify(module)};
      await new EmulatedMachine(${JSON.stringify(directory)}).change(() => {
        process.stdout.write('has it');
        return new Promise((resolve) => setTimeout(resolve, 1_000_000));
      });`;
    const holder = new LocalPrograms().stream([
      process.execPath,
      '--experimental-transform-types',
      '--input-type=module',
      '--eval',
      code,
    ]);
    for await (const chunk of holder.stdout) {
      expect(String(chunk)).toBe('has it');
      holder.stop();
    }
    await expect(holder.finished).rejects.toThrow();
    const machine = new EmulatedMachine(directory);
    await countBoot(machine);
    expect(boots(machine)).toBe(1);
  });
});
