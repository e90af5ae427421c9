import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { EmulatedPrograms } from '../tools/emulated-programs.ts';
import { appendJournal } from './journal.ts';
import { journalctl } from './journalctl.ts';
import { parseTimestamp } from './systemd-time.ts';

describe('journalctl', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let programs: EmulatedPrograms;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'journal-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    programs = new EmulatedPrograms(machine, new Map([['journalctl', journalctl]]));
    appendJournal(machine, 'systemd-networkd.service', 'enp5s0: Gained carrier');
    const line = JSON.stringify({
      MESSAGE: 'service is ready',
      PRIORITY: '4',
      SYSLOG_IDENTIFIER: 'incus-osd',
      _PID: '1',
    });
    appendJournal(machine, 'incus-os-network.service', line, 4711);
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const run = (...args: string[]): ReturnType<EmulatedPrograms['run']> =>
    programs.run(['journalctl', ...args], { acceptExitCodes: 'any' });
  const messages = async (...args: string[]): Promise<string[]> =>
    (await run('-o', 'cat', ...args)).stdout.split('\n').filter((line) => line !== '');

  it('gives entries with the fields of the writer and those of the journal', async () => {
    const [line = ''] = (await run('-o', 'json', '-t', 'incus-osd')).stdout.split('\n');
    expect(JSON.parse(line)).toMatchObject({
      MESSAGE: 'service is ready',
      PRIORITY: '4',
      SYSLOG_IDENTIFIER: 'incus-osd',
      _SYSTEMD_UNIT: 'incus-os-network.service',
      _PID: '4711',
      _BOOT_ID: machine.read().system.power.boot_id.replaceAll('-', ''),
    });
  });

  it('selects by unit, number, priority and time', async () => {
    expect(await messages('-u', 'systemd-networkd')).toEqual(['enp5s0: Gained carrier']);
    expect(await messages('--lines=1')).toEqual(['service is ready']);
    expect(await messages('-p', 'warning')).toEqual(['service is ready']);
    expect(await messages('--since=+1h')).toEqual([]);
    expect(await messages('--since', '10 seconds ago', '--until', 'tomorrow')).toHaveLength(2);
  });

  it('tells the boots apart', async () => {
    await machine.change(({ system }) => {
      system.power.boot_id = '11111111-1111-4111-8111-111111111111';
    });
    appendJournal(machine, 'x.service', 'second boot');
    expect(await messages('-b')).toEqual(['second boot']);
    expect(await messages('-b', '-1')).toHaveLength(2);
    expect(await messages('--boot=11111111111141118111111111111111')).toEqual(['second boot']);
    expect((await run('-b', '-7')).exitCode).toBe(1);
  });

  it('refuses what it does not understand', async () => {
    expect(await run('--frob')).toMatchObject({
      exitCode: 1,
      stderr: "journalctl: unrecognized option '--frob'\n",
    });
    expect(await run('--since=whenever')).toMatchObject({
      exitCode: 1,
      stderr: 'Failed to parse timestamp: whenever\n',
    });
    expect(await run('-n', 'some')).toMatchObject({ exitCode: 1 });
  });

  it('follows what is written later, until it is stopped', async () => {
    const stream = programs.stream(['journalctl', '-f', '-n', '0', '-o', 'cat']);
    let seen = '';
    stream.stdout.on('data', (chunk: Buffer) => (seen += chunk.toString()));
    // It follows from when it was begun, which isn't told.
    const writeAndLook = (): string => {
      appendJournal(machine, 'x.service', 'later');
      return seen;
    };
    await expect.poll(writeAndLook, { timeout: 20_000 }).toMatch(/^(?:later\n)+$/u);
    stream.stop();
    await expect(stream.finished).rejects.toThrow('was stopped');
  });

  it('reads every time that it prints', () => {
    fc.assert(
      fc.property(
        fc.date({ min: new Date('1990-01-01'), max: new Date('2100-01-01'), noInvalidDate: true }),
        (date) => {
          const whole = new Date(Math.floor(date.getTime() / 1000) * 1000);
          const iso = whole.toISOString();
          expect(parseTimestamp(iso)).toBe(whole.getTime());
          expect(parseTimestamp(iso.slice(0, 19).replace('T', ' '))).toBe(whole.getTime());
          expect(parseTimestamp(`@${whole.getTime() / 1000}`)).toBe(whole.getTime());
        },
      ),
    );
  });
});
