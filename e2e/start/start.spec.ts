import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';
import { afterAll, describe, expect, inject, it } from 'vitest';
import { checkout } from '../appliance/checkout.ts';
import { freePort } from '../appliance/free-port.ts';
import { startAppliance } from '../appliance/running.ts';
import { killService, processesOf } from '../appliance/services.ts';
import { Rest } from '../appliance/rest.ts';
import { eventually } from '../api/client.ts';

const programs = new LocalPrograms();
const env = { HOME: process.env['HOME'] ?? '/root' };
const directories: string[] = [];

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), 'ios-'));
  directories.push(directory);
  return directory;
}

afterAll(() => {
  for (const directory of directories) rmSync(directory, { recursive: true, force: true });
});

function start(...args: string[]): Promise<{ exitCode: number; stdout: string; stderr: string }> {
  return programs.run([join(checkout, 'bin/start'), ...args], {
    env,
    acceptExitCodes: 'any',
    timeoutMs: 120_000,
  });
}

const running = inject('machine');

describe.skipIf(running?.kind !== 'emulated')('npm start', () => {
  it('explains its options', async () => {
    const { exitCode, stdout } = await start('--help');
    expect(exitCode).toBe(0);
    for (const option of ['--dir', '--port', '--machine', '--seed']) expect(stdout).toContain(option);
  });

  it('says that an appliance is running already in a directory', async () => {
    const { exitCode, stderr } = await start(
      '--dir',
      running?.directory ?? '',
      '--port',
      String(await freePort()),
    );
    expect(exitCode).toBe(1);
    expect(stderr).toContain('an appliance is already running in');
  });

  it('says what is wrong with its arguments in a sentence', async () => {
    expect((await start('--port', '70000')).stderr).toContain('from 1 to 65535');
    expect((await start('--colour', 'red')).stderr).toContain("unknown option '--colour'");
    const long = join(scratch(), 'x'.repeat(100));
    const { exitCode, stderr } = await start('--dir', long);
    expect([exitCode, stderr]).toEqual([1, expect.stringContaining('choose a shorter')]);
    const taken = await start('--dir', scratch(), '--port', new URL(inject('url')).port);
    expect([taken.exitCode, taken.stderr]).toEqual([
      1,
      expect.stringContaining('is in use by another program'),
    ]);
    const odd = join(scratch(), 'machine.json');
    writeFileSync(odd, '{"network":{"nics":5}}');
    const wrong = await start('--dir', scratch(), '--port', String(await freePort()), '--machine', odd);
    expect([wrong.exitCode, wrong.stderr]).toEqual([
      1,
      expect.stringContaining('network.nics must be a list, not a number'),
    ]);
    const missing = await start('--dir', scratch(), '--machine', '/no/such/machine.json');
    expect([missing.exitCode, missing.stderr]).toEqual([1, expect.stringContaining('/no/such/machine.json')]);
  });

  it('has a screen, which shows what is written to it', async () => {
    const directory = running?.directory ?? '';
    const message = { level: 'WARN', message: `\u001B[2Jthe lid is open ${Date.now()}` };
    const socket = ['--unix-socket', join(directory, 'run/unix.socket')];
    const url = 'http://localhost/internal/tui/:write-message';
    await programs.run(['curl', '--silent', '--fail', ...socket, '--json', JSON.stringify(message), url]);
    const shown = `system       warning: ${message.message.replace('\u001B', String.raw`\x1b`)}`;
    await eventually(async () => {
      const { stdout } = await programs.run([join(checkout, 'bin/machine'), '--dir', directory, 'console'], {
        env,
      });
      return stdout.includes(shown) && /Status +ready/u.test(stdout);
    }, 'the message on the screen');
  });

  it('leaves no process when it is killed itself, and can be started again', async () => {
    const directory = scratch();
    const first = await startAppliance(directory);
    process.kill(first.pid ?? Number.NaN, 'SIGKILL');
    await eventually(async () => (await processesOf(directory)).length === 0, 'the end of all processes');
    const second = await startAppliance(directory);
    await second.stop();
    expect(await processesOf(directory)).toEqual([]);
  });

  it('keeps the machine between starts, restarts what is killed, and leaves no process when it stops', async () => {
    const directory = scratch();
    const first = await startAppliance(directory);
    const rest = new Rest(first.url, { cert: first.certificate, key: first.key });
    const syslog = { address: '192.0.2.7:514', protocol: 'udp', log_format: 'rfc5424' };
    await rest.succeed('PUT', '/os/1.0/system/logging', { json: { config: { syslog } } });
    for (const name of ['gateway', 'security', 'applications']) await killService(directory, name);
    await eventually(
      async () => (await rest.envelope('GET', '/os/1.0/system/security')).http === 200,
      'the restart',
    );
    rest.close();
    await first.stop();
    expect(await processesOf(directory)).toEqual([]);
    expect(existsSync(join(directory, 'run/network.sock'))).toBe(false);

    const second = await startAppliance(directory);
    const again = new Rest(second.url, { cert: second.certificate, key: second.key });
    const { config } = await again.get<{ config: { syslog: object } }>('/os/1.0/system/logging');
    again.close();
    await second.stop();
    expect(config.syslog).toEqual(syslog);
    expect(await processesOf(directory)).toEqual([]);
  });
});
