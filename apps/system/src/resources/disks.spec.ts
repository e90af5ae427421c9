import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it, type MockInstance, vi } from 'vitest';
import { BlockDevices } from './disks.ts';

describe('the block devices', () => {
  let directory: string;
  let host: Host;
  let devices: BlockDevices;
  let run: MockInstance;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'disks-'));
    const machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
    devices = new BlockDevices(host);
    run = vi.spyOn(host.programs, 'run');
  });

  afterEach(() => rm(directory, { recursive: true }));

  it('are asked for once while nothing changes', async () => {
    const rows = await devices.rows();
    expect(rows.map(({ name }) => name)).toContain('sda');
    expect(await devices.rows()).toEqual(rows);
    await Promise.all([devices.rows(), devices.rows()]);
    expect(run).toHaveBeenCalledTimes(1);
  });

  it('are asked for again when one comes, and when udev learned something of one', async () => {
    await devices.rows();
    await host.files.makeDirectory('/sys/class/block/sdz');
    await devices.rows();
    expect(run).toHaveBeenCalledTimes(2);
    await host.files.writeAtomic('/run/udev/data/b8:0', 'E:ID_MODEL=QEMU_HARDDISK\n');
    await devices.rows();
    expect(run).toHaveBeenCalledTimes(3);
    await host.files.writeAtomic('/run/udev/data/b8:0', 'E:ID_MODEL=ANOTHER\n');
    await devices.rows();
    await devices.rows();
    expect(run).toHaveBeenCalledTimes(4);
  });

  it('are asked for again after a failure', async () => {
    run.mockRejectedValueOnce(new Error('lsblk failed'));
    await expect(devices.rows()).rejects.toThrow('lsblk failed');
    expect((await devices.rows()).length).toBeGreaterThan(0);
  });
});
