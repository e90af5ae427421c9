import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { EmulatedMachine } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LocalProxy } from './local-proxy.ts';
import { Processes } from './processes.ts';

let directory: string;
let machine: EmulatedMachine;
let processes: Processes;
let proxy: LocalProxy;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'proxied-'));
  machine = new EmulatedMachine(directory);
  machine.create();
  processes = new Processes({ line: () => undefined, restarted: () => undefined });
  proxy = new LocalProxy(machine, processes, {
    name: 'proxy',
    argv: ['sleep', '1000'],
    env: { PATH: process.env['PATH'] },
    ours: false,
  });
});

afterEach(async () => {
  await processes.kill();
  await rm(directory, { recursive: true, force: true });
});

async function unitIs(active: 'active' | 'inactive', since: string): Promise<number | undefined> {
  await machine.change(({ system }) => {
    const sub = active === 'active' ? 'running' : 'dead';
    system.units['local-proxy.service'] = { active, sub, since };
  });
  await proxy.follow();
  return processes.pids().get('proxy');
}

describe('the proxy of an emulated machine', () => {
  it('runs while its unit is active, and anew when that was restarted', async () => {
    await proxy.follow();
    expect(processes.running).toBe(false);
    const first = await unitIs('active', '2026-11-20T12:00:00Z');
    expect(first).toBeDefined();
    await proxy.follow();
    expect(processes.pids().get('proxy')).toBe(first);
    const second = await unitIs('active', '2026-11-20T12:00:05Z');
    expect(second).toBeDefined();
    expect(second).not.toBe(first);
    expect(await unitIs('inactive', '2026-11-20T12:00:09Z')).toBeUndefined();
    expect(processes.running).toBe(false);
  });
});
