import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { createLogger } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Inventory } from './inventory.ts';

describe('the inventory of the storage', () => {
  let directory: string;
  let inventory: Inventory;
  let udev: PassThrough;
  let runs: string[];

  const event = (action: string, node: string): void => {
    udev.write(
      `UDEV  [71.1] ${action} /devices/x (block)\nACTION=${action}\nSUBSYSTEM=block\nDEVNAME=${node}\n\n`,
    );
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'inv-'));
    const machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    const { files, programs } = openEmulatedHost(machine);
    udev = new PassThrough();
    runs = [];
    const host: Host = {
      files,
      programs: {
        run: async (argv, options) => {
          runs.push(argv[0]);
          return programs.run(argv, options);
        },
        stream: (argv, options) =>
          argv[0] === 'udevadm'
            ? { stdout: udev, finished: new Promise(() => undefined), stop: () => undefined }
            : programs.stream(argv, options),
      },
    };
    inventory = new Inventory(host, createLogger('storage'));
    inventory.watch();
    await inventory.read();
    await quiet();
  });

  afterEach(async () => {
    inventory.onModuleDestroy();
    await rm(directory, { recursive: true, force: true, maxRetries: 10 });
  });

  async function quiet(): Promise<void> {
    let before: number;
    do {
      before = runs.length;
      await sleep(500);
    } while (before !== runs.length);
    runs.length = 0;
  }

  it('lists the drives again when one changed, and asks only one that came for its health', async () => {
    event('change', '/dev/sda');
    await happened(() => runs.includes('lsblk'));
    expect(runs).not.toContain('smartctl');
    await quiet();
    event('add', '/dev/sda');
    await happened(() => runs.includes('smartctl'));
  });

  async function happened(condition: () => boolean): Promise<void> {
    const deadline = Date.now() + 20_000;
    while (!condition() && Date.now() < deadline) await sleep(20);
    expect(condition()).toBe(true);
  }
});
