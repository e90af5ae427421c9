import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Host } from '@incusos/host';
import { AuthenticationRegister } from '@incusos/contracts/images';
import { ImageServer } from '@incusos/images/testing';
import { createLogger, type Logger } from '@incusos/service';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultUpdateConfiguration } from '../configuration/update-configuration.ts';
import { fetchLimits } from '../feed/fetch-file.ts';
import { Providers } from '../providers/providers.service.ts';
import { openSeededState } from './first-boot.ts';

const partition = '/dev/disk/by-partlabel/seed-data';

let directory: string;
let machine: EmulatedMachine;
let host: Host;
const error = vi.fn<(message: string, details?: unknown) => void>();
const logger = { error } as unknown as Logger;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'update-'));
  machine = new EmulatedMachine(directory);
  machine.create();
  await switchOn(machine);
  host = openEmulatedHost(machine);
  error.mockClear();
});

afterEach(() => rmSync(directory, { recursive: true }));

async function seed(files: Readonly<Record<string, string>>): Promise<void> {
  const tar = pack();
  for (const [name, content] of Object.entries(files)) tar.entry({ name }, content);
  tar.finalize();
  await host.files.writeAtomic(await host.files.realPath(partition), await buffer(tar));
}

describe('the first start of the update service', () => {
  it('follows the seeds, and no later one does', async () => {
    await seed({
      'update.yaml': 'version: 1\nauto_reboot: true\nchannel: testing\ncheck_frequency: never\n',
      'provider.json': '{"version":"1","name":"images","config":{"server_url":"https://images.example.org"}}',
    });
    const { current } = await openSeededState(host, logger);
    expect(current).toEqual({
      update: { auto_reboot: true, channel: 'testing', check_frequency: 'never', maintenance_windows: [] },
      provider: { name: 'images', config: { server_url: 'https://images.example.org' } },
      registered: false,
    });
    await seed({ 'update.yaml': 'channel: other' });
    expect((await openSeededState(host, logger)).current).toEqual(current);
    expect(error).not.toHaveBeenCalled();
  });

  it('keeps the defaults of what the seed leaves out', async () => {
    await seed({ 'update.yaml': 'auto_reboot: true' });
    const { current } = await openSeededState(host, logger);
    expect(current.update).toEqual({ ...defaultUpdateConfiguration(), auto_reboot: true });
    expect(current.provider).toEqual({ name: 'images', config: {} });
  });

  it('without a seed is the end of the time for seeds', async () => {
    await openSeededState(host, logger);
    await seed({ 'update.yaml': 'channel: late' });
    expect((await openSeededState(host, logger)).current.update).toEqual(defaultUpdateConfiguration());
  });

  it.each([
    [
      'update.yaml',
      'chanel: testing',
      ['the update seed is not used, the default is', { error: 'update.yaml: chanel: is not a known key' }],
    ],
    [
      'update.yaml',
      'check_frequency: 1d',
      [
        'the update seed is not used, the default is',
        {
          field: 'check_frequency',
          error: 'invalid update check frequency: time: unknown unit "d" in duration "1d"',
        },
      ],
    ],
    [
      'provider.yaml',
      'name: images\nconfig: {server_url: "ftp://x"}',
      [
        'the provider seed is not used, the default is',
        { field: 'config.server_url', error: 'config.config.server_url: must be an http or https URL' },
      ],
    ],
  ])('says what is wrong with %s when it says %j, and goes on', async (name, content, complaint) => {
    await seed({ [name]: content });
    const { current } = await openSeededState(host, logger);
    expect(current.update).toEqual(defaultUpdateConfiguration());
    expect(current.provider).toEqual({ name: 'images', config: {} });
    expect(error.mock.calls).toEqual([complaint]);
  });

  it('names a provider that is told of the machine once it can be', async () => {
    const server = await ImageServer.start();
    const security = {
      generateRegistration: () => Promise.resolve({ registration: AuthenticationRegister.create() }),
      generateToken: () => Promise.resolve({ token: '' }),
    };
    await seed({ 'provider.yaml': `name: images\nconfig: {server_url: "${server.url}", token: abc}` });
    const silent = createLogger('update');
    silent.silent = true;
    const store = await openSeededState(host, silent);
    const providers = new Providers(host, store, fetchLimits, security, silent);
    const { signal } = new AbortController();
    await expect(providers.completeRegistration(signal)).rejects.toThrow('bad HTTP response code');
    expect(store.current.registered).toBe(false);
    server.serve('/register', (_request, response) => response.end());
    await providers.completeRegistration(signal);
    await providers.completeRegistration(signal);
    expect(store.current.registered).toBe(true);
    expect(server.requests).toHaveLength(2);
    await server.close();
  });

  it('is made again when it could not be saved', async () => {
    await seed({ 'update.yaml': 'channel: testing' });
    const full = (directories: string[]): Promise<void> =>
      machine.change(({ faults }) => {
        faults.full_directories = directories;
      });
    await full(['/var/lib/incus-os/update']);
    expect((await openSeededState(host, logger)).current.update.channel).toBe('stable');
    expect(error).toHaveBeenCalledTimes(1);
    await full([]);
    expect((await openSeededState(host, logger)).current.update.channel).toBe('testing');
  });
});
