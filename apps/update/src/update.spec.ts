import { randomUUID } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import {
  ProviderServiceService,
  type SystemProvider,
  SystemProviderConfig,
  SystemUpdateConfig,
  type SystemUpdateState,
  UpdateServiceService,
} from '@incusos/contracts/update';
import { StateOwnerService } from '@incusos/contracts/state';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { feedIndex, makeSigner, ReleasePublisher, signText } from '@incusos/images/testing';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { defaultUpdateConfiguration } from './configuration/update-configuration.ts';
import { fetchLimits } from './feed/fetch-file.ts';
import { UpdateModule } from './update.module.ts';

const limits = { ...fetchLimits, pauseMs: 5, answerMs: 2_000, totalMs: 4_000, maxBytes: 200_000 };
const times = { firstCheckMs: 24 * 3600 * 1000 };
const newer = '202701010000';

describe('the update service', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;
  let service: RunningService;
  let connection: ServiceConnection;
  let update: ServiceClient<typeof UpdateServiceService>;
  let provider: ServiceClient<typeof ProviderServiceService>;
  let publisher: ReleasePublisher;
  let starts = 0;

  const start = async (): Promise<void> => {
    starts += 1;
    const socket = join(directory, `update-${starts}.sock`);
    service = await startService(
      UpdateModule.on(() => Promise.resolve(host), { limits, times }),
      'update',
      {
        socket,
      },
    );
    connection = connectService('update', socket);
    update = connection.use(UpdateServiceService);
    provider = connection.use(ProviderServiceService);
  };

  const stop = async (): Promise<void> => {
    connection.close();
    await service.stop();
  };

  const read = async (): Promise<{ config: SystemUpdateConfig; state: SystemUpdateState }> => {
    const { update: answer } = await update.getUpdate({});
    if (answer?.config === undefined || answer.state === undefined) throw new Error('half an answer');
    return { config: answer.config, state: answer.state };
  };

  const configure = async (change: Partial<SystemUpdateConfig>): Promise<void> => {
    await update.setConfig({ config: { ...(await read()).config, ...change } });
  };

  const readProvider = async (): Promise<SystemProvider | undefined> =>
    (await provider.getProvider({})).provider;

  const use = (config: Record<string, string>, name = 'images'): Promise<unknown> =>
    provider.setConfig({ config: SystemProviderConfig.create({ name, config }) });

  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'upd-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'silent');
    machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
    publisher = await ReleasePublisher.start(directory);
    await start();
  });

  afterAll(async () => {
    await stop();
    await publisher.close();
    await rm(directory, { recursive: true, force: true });
    vi.unstubAllEnvs();
  });

  beforeEach(async () => {
    publisher.server.clear();
    await update.setConfig({ config: defaultUpdateConfiguration() });
    await use({ server_url: publisher.url });
  });

  /** As after a factory reset. */
  const startAnew = async (): Promise<void> => {
    await stop();
    await host.files.remove('/var/lib/incus-os/update');
    await start();
  };

  const running = (): string => machine.read().system.os.release;

  describe('a check', () => {
    it('finds a newer release and shows it', async () => {
      await publisher.publish([{ version: newer }, { version: running() }]);
      await update.check({ os_only: true });
      const { state } = await read();
      expect(state).toMatchObject({
        status: 'Update check completed',
        needs_reboot: false,
        available_version: newer,
      });
      expect(state.last_error).toBeUndefined();
      expect(Date.now() - Date.parse(state.last_check)).toBeLessThan(60_000);
      expect(publisher.server.requests[0]?.headers['user-agent']).toBe(`IncusOS/${running()}`);
    });

    it('goes on after the reply unless only the operating system is asked for', async () => {
      await publisher.publish([{ version: newer }]);
      await update.check({ os_only: false });
      await vi.waitUntil(async () => (await read()).state.status === 'Update check completed', {
        timeout: 30_000,
      });
      expect((await read()).state.available_version).toBe(newer);
    });

    it.each(['opaque', 'binary', 'cms'] as const)('reads an index in the form %s', async (form) => {
      await publisher.publish([{ version: newer }], form);
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe(newer);
    });

    it('finds nothing when the newest release runs, is older, or is for another channel or architecture', async () => {
      const others = [
        [{ version: running() }],
        [{ version: '202401010000' }],
        [{ version: newer, channels: ['testing'] }],
        [{ version: newer, architectures: [process.arch === 'arm64' ? 'x86_64' : 'aarch64'] as const }],
        [{ version: newer, files: ['incus.raw.gz'] }],
        [],
      ];
      for (const releases of others) {
        await publisher.publish(releases);
        await update.check({ os_only: true });
        expect((await read()).state).toMatchObject({ status: 'Update check completed' });
        expect((await read()).state.available_version).toBeUndefined();
      }
    });

    it('keeps to the channel, and forgets what it found for another', async () => {
      await publisher.publish([{ version: '202702010000', channels: ['testing'] }, { version: newer }]);
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe(newer);
      await configure({ channel: 'testing' });
      expect((await read()).state.available_version).toBeUndefined();
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe('202702010000');
    });

    it('goes past the cache when a user asks', async () => {
      await publisher.publish([{ version: running() }]);
      await update.check({ os_only: true });
      await publisher.publish([{ version: newer }]);
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe(newer);
    });

    it('refuses an index signed by a stranger, and leaves what is known', async () => {
      const elsewhere = await mkdtemp(join(tmpdir(), 'stranger-'));
      const stranger = await ReleasePublisher.start(elsewhere);
      try {
        await publisher.publish([{ version: newer }]);
        await update.check({ os_only: true });
        await stranger.publish([{ version: '202801010000' }]);
        await use({ server_url: stranger.url });
        await expect(update.check({ os_only: true })).rejects.toMatchObject({
          reason: 'OPERATION_FAILED',
          message: expect.stringContaining("can't be trusted: the signer") as string,
        });
        const { state } = await read();
        expect(state.status).toBe('Failed to check for OS updates');
        expect(state.last_error).toContain('does not lead to the trusted root');
        expect(state.available_version).toBeUndefined();
      } finally {
        await stranger.close();
        await rm(elsewhere, { recursive: true, force: true });
      }
    });

    it('refuses an index that was altered', async () => {
      await publisher.publish([{ version: newer }]);
      const signed = (await signText('{"format":"1.0","updates":[]}', publisher.signer)).toString();
      publisher.server.serve('/index.sjson', signed.replace('updates', 'Updates'));
      await expect(update.check({ os_only: true })).rejects.toThrow('was altered');
    });

    it('refuses an index that makes no sense, although the signature is good', async () => {
      publisher.server.serve('/index.sjson', await signText('{"format":"9"}', publisher.signer));
      await expect(update.check({ os_only: true })).rejects.toThrow("format is '9'");
    });

    it.each([
      ['no signature', '{"format":"1.0","updates":[]}', 'is not an S/MIME signed message'],
      ['too much of it', 'x'.repeat(200_001), 'is larger than 200000 bytes'],
    ])('refuses an index with %s', async (_name, content, why) => {
      publisher.server.serve('/index.sjson', content);
      await expect(update.check({ os_only: true })).rejects.toThrow(why);
    });

    it('says when the server has no index', async () => {
      await expect(update.check({ os_only: true })).rejects.toThrow('server failed to return expected file');
    });

    it('says when the server is gone, and works again when it is back', async () => {
      await publisher.close();
      await expect(update.check({ os_only: true })).rejects.toThrow(
        'http request timed out after five seconds',
      );
      expect((await read()).state.status).toBe('Failed to check for OS updates');
      publisher = await ReleasePublisher.start(directory);
      await publisher.publish([{ version: newer }]);
      await use({ server_url: publisher.url });
      await update.check({ os_only: true });
      const { state } = await read();
      expect(state).toMatchObject({ status: 'Update check completed', available_version: newer });
      expect(state.last_error).toBeUndefined();
    });

    it('gives up on a server that is slow, and answers everything else meanwhile', async () => {
      publisher.server.serve('/index.sjson', (_request, response) => response.writeHead(200).write('x'));
      const checked = update.check({ os_only: true });
      const refused = expect(checked).rejects.toThrow('took longer than 4 s');
      await vi.waitUntil(async () => (await read()).state.status === 'Running update check', {
        timeout: 30_000,
      });
      await configure({ auto_reboot: true });
      await refused;
    });

    it('shows nothing that was found at a provider which was left meanwhile', async () => {
      await publisher.publish([{ version: newer }]);
      const signed = await signText(feedIndex([{ version: newer }]), publisher.signer);
      const { promise: asked, resolve: answer } = Promise.withResolvers<() => void>();
      publisher.server.serve('/index.sjson', (_request, response) => answer(() => response.end(signed)));
      const checked = update.check({ os_only: true });
      const finish = await asked;
      await use({}, 'debug');
      finish();
      await checked;
      const { state } = await read();
      expect(state.status).toBe('Update check completed');
      expect(state.available_version).toBeUndefined();
    });

    it('that someone asks for takes the place of one in the background', async () => {
      let calls = 0;
      await publisher.publish([{ version: newer }]);
      const index = await signText(`{"format":"1.0","updates":[]}`, publisher.signer);
      publisher.server.serve('/index.sjson', (_request, response) => {
        calls += 1;
        if (calls > 1) response.end(index);
      });
      await update.check({ os_only: false });
      await vi.waitUntil(() => calls === 1, { timeout: 30_000 });
      await update.check({ os_only: true });
      expect((await read()).state.status).toBe('Update check completed');
    });

    it('trusts the update CA that the provider was given, and only that', async () => {
      const ca = await makeSigner(publisher.pki, directory, {
        ...{ name: 'Own CA', issuer: 'root', authority: true, extendedKeyUsage: 'none' },
      });
      await publisher.publish([{ version: newer }]);
      await use({ server_url: publisher.url, update_ca: await readFile(ca.certificate, 'utf8') });
      await expect(update.check({ os_only: true })).rejects.toThrow(
        "update CA 'O=IncusOS development, CN=Own CA'",
      );
    });

    it('says when the system has nobody to trust', async () => {
      await publisher.publish([{ version: newer }]);
      await host.files.rename('/usr/lib/incus-os/trust', '/usr/lib/incus-os/elsewhere');
      await expect(update.check({ os_only: true })).rejects.toThrow('no certificate to trust');
      await host.files.rename('/usr/lib/incus-os/elsewhere', '/usr/lib/incus-os/trust');
    });
  });

  describe('its configuration', () => {
    it('has the defaults on a new machine', async () => {
      await startAnew();
      const { config, state } = await read();
      expect(config).toEqual(SystemUpdateConfig.create({ channel: 'stable', check_frequency: '6h' }));
      expect(state).toMatchObject({ last_check: '', status: '', needs_reboot: false });
    });

    it('is kept over a restart; how the last check went is not', async () => {
      const windows = [{ start_hour: 2, start_minute: 0, end_hour: 3, end_minute: 30 }];
      await publisher.publish([{ version: newer }]);
      await update.check({ os_only: true });
      await configure({ channel: 'testing', check_frequency: 'never', maintenance_windows: windows });
      await stop();
      await start();
      const { config, state } = await read();
      expect(config).toMatchObject({
        channel: 'testing',
        check_frequency: 'never',
        maintenance_windows: windows,
      });
      expect(state).toMatchObject({ last_check: '', status: '' });
      expect(await readProvider()).toMatchObject({ config: { config: { server_url: publisher.url } } });
    });

    it('is refused as a whole, naming the field, when something is wrong with it', async () => {
      await expect(configure({ channel: 'testing', check_frequency: '1d' })).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        message: 'invalid update check frequency: time: unknown unit "d" in duration "1d"',
        fields: [{ field: 'config.check_frequency' }],
      });
      expect((await read()).config.channel).toBe('stable');
    });

    it('stays what it was on a full disk', async () => {
      await machine.change(({ faults }) => {
        faults.full_directories = ['/var/lib/incus-os/update'];
      });
      await expect(configure({ channel: 'testing' })).rejects.toMatchObject({ reason: 'NO_SPACE' });
      expect((await read()).config.channel).toBe('stable');
      await machine.change(({ faults }) => {
        faults.full_directories = [];
      });
      await configure({ channel: 'testing' });
      expect((await read()).config.channel).toBe('testing');
    });

    it('can be read, but not changed, while its file is damaged', async () => {
      await configure({ channel: 'testing' });
      await stop();
      const path = join(directory, 'root/var/lib/incus-os/update/state.json');
      await writeFile(path, (await readFile(path, 'utf8')).slice(0, 40));
      await start();
      expect((await read()).config.channel).toBe('stable');
      await expect(configure({ channel: 'testing' })).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      await expect(use({}, 'debug')).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      const owner = connection.use(StateOwnerService);
      expect(await owner.describeState({})).toMatchObject({ service: 'update', schema_version: 1 });
      await startAnew();
    });

    it('shows times in the zone of the machine', async () => {
      await host.files.makeSymlink('../usr/share/zoneinfo/Asia/Kathmandu', '/etc/localtime');
      await publisher.publish([]);
      await update.check({ os_only: true });
      expect((await read()).state.last_check).toMatch(/\+05:45$/u);
      await host.files.remove('/etc/localtime');
    });
  });

  describe('its state', () => {
    it('comes back from a backup and takes effect', async () => {
      const owner = connection.use(StateOwnerService);
      await configure({ channel: 'testing', check_frequency: '12h' });
      const files = [];
      for await (const { file } of owner.exportState({})) files.push(file);
      await configure({ channel: 'stable', check_frequency: '1h' });
      await use({}, 'debug');
      const restore_id = randomUUID();
      const messages = files.map((file) => ({ restore_id, skip: [], schema_version: 1, file }));
      await owner.stageImport(Readable.from(messages));
      expect((await read()).config.channel).toBe('stable');
      await owner.commitImport({ restore_id });
      expect((await read()).config).toMatchObject({ channel: 'testing', check_frequency: '12h' });
      expect((await readProvider())?.config).toEqual({
        name: 'images',
        config: { server_url: publisher.url },
      });
      await publisher.publish([{ version: newer, channels: ['testing'] }]);
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe(newer);
    });

    it('is that of a new machine after a reset', async () => {
      await configure({ channel: 'testing' });
      await connection.use(StateOwnerService).resetState({});
      expect((await read()).config).toEqual(defaultUpdateConfiguration());
      expect((await readProvider())?.config).toEqual({ name: 'images', config: {} });
    });
  });

  describe('the provider', () => {
    it('is the image server of the project on a new machine', async () => {
      await startAnew();
      expect(await readProvider()).toEqual({
        config: { name: 'images', config: {} },
        state: { registered: false },
      });
    });

    it.each([
      ['', {}, 'INVALID_REQUEST', 'a provider name must be specified'],
      ['github', {}, 'INVALID_REQUEST', 'unknown provider "github"'],
      [
        'operations-center',
        { server_url: 'https://x' },
        'NOT_IMPLEMENTED',
        'the operations-center provider is not implemented',
      ],
      [
        'images',
        { server_url: 'ftp://x' },
        'INVALID_REQUEST',
        'config.config.server_url: must be an http or https URL',
      ],
      [
        'images',
        { server_url: 'nowhere' },
        'INVALID_REQUEST',
        'config.config.server_url: must be an http or https URL',
      ],
      [
        'images',
        { update_ca: 'x' },
        'INVALID_REQUEST',
        'config.config.update_ca: is not a certificate in PEM',
      ],
    ])('is not changed to %j with %j', async (name, config, reason, message) => {
      const before = await readProvider();
      await expect(use(config, name)).rejects.toMatchObject({ reason, message });
      expect(await readProvider()).toEqual(before);
    });

    it('is not changed when this machine can not be registered with it', async () => {
      const before = await readProvider();
      // The security service, which speaks to the TPM, isn't there.
      await expect(use({ server_url: publisher.url, token: 'abc' })).rejects.toMatchObject({
        reason: 'UNAVAILABLE',
      });
      expect(await readProvider()).toEqual(before);
    });

    it('may be a directory of the machine', async () => {
      await use({}, 'debug');
      await update.check({ os_only: true });
      expect((await read()).state).toMatchObject({ status: 'Update check completed' });
      await host.files.writeAtomic(`/root/updates/RELEASE`, `${newer}\n`);
      await host.files.writeAtomic(`/root/updates/IncusOS_${newer}.efi`, 'image');
      await update.check({ os_only: true });
      expect((await read()).state.available_version).toBe(newer);
      await host.files.writeAtomic('/root/updates/RELEASE', 'soon');
      await expect(update.check({ os_only: true })).rejects.toThrow('does not hold a version');
    });
  });
});
