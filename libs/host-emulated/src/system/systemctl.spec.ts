import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { EmulatedPrograms } from '../tools/emulated-programs.ts';
import { systemctl } from './systemctl.ts';
import type { Unit } from './units.ts';

describe('systemctl', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let programs: EmulatedPrograms;
  let happened: string[];

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'units-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    happened = [];
    const note = (what: string) => (): Promise<void> => {
      happened.push(what);
      return Promise.resolve();
    };
    const units: Unit[] = [
      {
        name: 'a.service',
        description: 'A',
        onStart: note('start'),
        onStop: note('stop'),
        onReload: note('reload'),
      },
      { name: 'bad.service', description: 'Bad', onStart: () => Promise.reject(new Error('no address')) },
    ];
    programs = new EmulatedPrograms(machine, new Map([['systemctl', systemctl(() => units)]]));
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const run = (...args: string[]): ReturnType<EmulatedPrograms['run']> =>
    programs.run(['systemctl', ...args], { acceptExitCodes: 'any' });

  it('starts a unit once and restarts it by stopping it first', async () => {
    await run('start', 'a');
    await run('start', 'a.service');
    await run('restart', 'a');
    expect(happened).toEqual(['start', 'stop', 'start']);
    expect(await run('is-active', 'a')).toEqual({ exitCode: 0, stdout: 'active\n', stderr: '' });
  });

  it('says that a unit it does not know was not found', async () => {
    expect(await run('start', 'x')).toEqual({
      exitCode: 5,
      stdout: '',
      stderr: 'Failed to start x.service: Unit x.service not found.\n',
    });
    expect(await run('stop', 'x')).toEqual({
      exitCode: 5,
      stdout: '',
      stderr: 'Failed to stop x.service: Unit x.service not loaded.\n',
    });
    expect(await run('is-active', 'x')).toEqual({ exitCode: 4, stdout: 'inactive\n', stderr: '' });
  });

  it('starts a unit that only has a unit file', async () => {
    await machine.files.writeAtomic(
      '/run/systemd/system/made.service',
      '[Unit]\nDescription=Made\n[Service]\nExecStart=/usr/bin/made --now\n',
    );
    await run('daemon-reload');
    await run('start', 'made');
    expect((await run('show', '-p', 'ActiveState,Description', 'made')).stdout).toBe(
      'ActiveState=active\nDescription=Made\n',
    );
  });

  it('leaves a unit failed whose effect failed', async () => {
    const result = await run('restart', 'bad');
    expect(result.exitCode).toBe(1);
    expect(result.stderr).toMatch(
      /^Job for bad\.service failed because the control process exited with error code\./u,
    );
    expect((await run('is-failed', 'bad')).exitCode).toBe(0);
    expect((await run('show', '--value', '-p', 'SubState', 'bad')).stdout).toBe('failed\n');
  });

  it('reloads only what runs and can be reloaded', async () => {
    expect(await run('reload', 'a')).toMatchObject({
      exitCode: 1,
      stderr: 'a.service is not active, cannot reload.\n',
    });
    await run('start', 'a');
    expect((await run('reload', 'a')).exitCode).toBe(0);
    expect(happened).toEqual(['start', 'reload']);
    expect((await run('reload', 'bad')).stderr).toContain(
      'Job type reload is not applicable for unit bad.service.',
    );
  });

  it('refuses options and verbs it does not know', async () => {
    expect(await run('start', '--frobnicate', 'a')).toMatchObject({
      exitCode: 1,
      stderr: "systemctl: unrecognized option '--frobnicate'\n",
    });
    expect(await run('frobnicate')).toMatchObject({
      exitCode: 1,
      stderr: "Unknown command verb 'frobnicate'.\n",
    });
  });

  it('asks for a reboot without doing it', async () => {
    await run('reboot');
    expect(machine.read().system.power.state).toBe('rebooting');
  });
});
