import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPrograms, type RunResult } from '@incusos/host';
import { parse, stringify } from 'yaml';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { checkout } from '../appliance/checkout.ts';
import { Rest } from '../appliance/rest.ts';
import { throughReboot } from '../api/client.ts';

const programs = new LocalPrograms();
const rest = new Rest(inject('url'), { cert: inject('certificate'), key: inject('key') });
const home = process.env['HOME'] ?? '/root';
let program: string;
let configuration: string;
let scratch: string;

beforeAll(async () => {
  const { stdout } = await programs.run([join(checkout, 'bin/official-client')], {
    timeoutMs: 300_000,
    env: { HOME: home },
  });
  program = stdout.trim();
  scratch = mkdtempSync(join(tmpdir(), 'client-'));
  configuration = process.env['INCUS_CONF'] ?? join(inject('machine')?.directory ?? '', 'incus');
});

afterAll(() => {
  rest.close();
  rmSync(scratch, { recursive: true, force: true });
});

/** Runs `incus admin os …` as a person would, with the prepared configuration directory. */
async function os(words: string, options: { stdin?: string; fails?: boolean } = {}): Promise<RunResult> {
  return programs.run([program, 'admin', 'os', ...words.split(' ')], {
    env: { INCUS_CONF: configuration, HOME: scratch },
    timeoutMs: 120_000,
    ...(options.stdin === undefined ? {} : { stdin: options.stdin }),
    ...(options.fails === true ? { acceptExitCodes: 'any' as const } : {}),
  });
}

async function yaml<T>(words: string): Promise<T> {
  return parse((await os(words)).stdout) as T;
}

describe('the official client', () => {
  it('shows the system', async () => {
    const shown = await yaml<{ environment: Record<string, unknown> }>('show');
    expect(shown.environment).toMatchObject({ os_name: 'IncusOS' });
  });

  it('prints its summary of the machine', async () => {
    const { stdout } = await os('info');
    expect(stdout).toContain('IncusOS');
    const { state } = await rest.get<{ state: { interfaces: object } }>('/os/1.0/system/network');
    for (const name of Object.keys(state.interfaces)) expect(stdout).toContain(name);
  });

  it.each([
    ['system network show', 'interfaces'],
    ['system storage show', 'scrub_schedule'],
    ['system security show', 'secure_boot_enabled'],
    ['system update show', 'channel'],
    ['system kernel show', 'config'],
    ['system logging show', 'syslog'],
    ['system resources show', 'cpu'],
    ['system provider show', 'config'],
    ['service list', 'ovn'],
    ['debug log', 'incus-osd'],
    ['debug processes', 'PID'],
  ])('answers `%s`', async (words, expected) => {
    expect((await os(words)).stdout).toContain(expected);
  });

  it('lists the applications that are installed, and shows each', async () => {
    const installed = await rest.get<string[]>('/os/1.0/applications');
    const { stdout } = await os('application list');
    for (const path of installed) {
      const name = path.slice(path.lastIndexOf('/') + 1);
      expect(stdout).toContain(name);
      expect((await os(`application show ${name}`)).stdout).toContain('is_primary');
    }
    expect(stdout.split('\n').filter((line) => line.includes('openfga'))).toEqual([]);
    expect((await os('application show openfga', { fails: true })).exitCode).not.toBe(0);
  });

  it('edits the network from a file', async () => {
    const before = await yaml<{ config: { interfaces: { addresses: string[] }[] } }>('system network show');
    const changed = structuredClone(before);
    changed.config.interfaces[0]?.addresses.push('10.55.0.1/24');
    await os('system network edit', { stdin: stringify(changed) });
    const after = await yaml<{ config: { interfaces: { addresses: string[] }[] } }>('system network show');
    expect(after.config.interfaces[0]?.addresses).toContain('10.55.0.1/24');
    await os('system network edit', { stdin: stringify(before) });
  });

  it('shows the error of a change that is refused', async () => {
    const before = await yaml<{ config: { interfaces: { addresses: string[] }[] } }>('system network show');
    before.config.interfaces[0]?.addresses.push('10.55.0.1');
    const { exitCode, stderr } = await os('system network edit', { stdin: stringify(before), fails: true });
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain("invalid IP address '10.55.0.1', must provide a CIDR mask");
  });

  it('edits a service from a file, and shows why one can not be enabled', async () => {
    const shown = await yaml<{ config: Record<string, unknown> }>('service show ovn');
    const config = { ...shown.config, database: 'tcp:203.0.113.9:6642', tunnel_address: '192.0.2.7' };
    await os('service edit ovn', { stdin: stringify({ config: { ...config, enabled: true } }) });
    expect((await yaml<{ config: object }>('service show ovn')).config).toMatchObject({
      ...config,
      enabled: true,
    });
    await os('service reset ovn', { stdin: 'yes\n' });
    await os('service edit ovn', { stdin: stringify(shown) });
    const refused = await os('service edit ovn', {
      stdin: stringify({ config: { ...shown.config, enabled: true } }),
      fails: true,
    });
    expect(refused.exitCode).not.toBe(0);
    expect(refused.stderr).toContain('missing OVN database address');
  });

  it('saves a backup and restores it', async () => {
    const archive = join(scratch, 'b.tar.gz');
    const before = await yaml<{ config: object }>('system update show');
    await os(`system backup ${archive}`);
    expect(readFileSync(archive).subarray(0, 2).toString('hex')).toBe('1f8b');
    await rest.succeed('PUT', '/os/1.0/system/update', {
      json: { config: { channel: 'testing', check_frequency: '9h', auto_reboot: false } },
    });
    const cut = join(scratch, 'cut.tar.gz');
    writeFileSync(cut, readFileSync(archive).subarray(0, 100));
    const refused = await os(`system restore ${cut}`, { stdin: 'yes\n', fails: true });
    expect(refused.exitCode).not.toBe(0);
    expect((await yaml<{ config: { channel: string } }>('system update show')).config.channel).toBe(
      'testing',
    );
    await throughReboot(rest, () => os(`system restore ${archive}`, { stdin: 'yes\n' }));
    expect((await yaml<{ config: object }>('system update show')).config).toEqual(before.config);
  });

  it('reboots the machine', async () => {
    await throughReboot(rest, () => os('system reboot', { stdin: 'yes\n' }));
  });
});
