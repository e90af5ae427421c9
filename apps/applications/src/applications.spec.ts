import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { type StateFile, StateOwnerService } from '@incusos/contracts/state';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { ApplicationsModule } from './applications.module.ts';

const release = '202611120410';

describe('the applications service', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;
  let running: RunningService | undefined;
  let connection: ServiceConnection;
  let applications: ServiceClient<typeof ApplicationsServiceService>;
  let starts = 0;

  const start = async (): Promise<void> => {
    starts += 1;
    const socket = join(directory, `a-${starts}.sock`);
    running = await startService(
      ApplicationsModule.on(() => Promise.resolve(host)),
      'applications',
      { socket },
    );
    connection = connectService('applications', socket);
    applications = connection.use(ApplicationsServiceService);
  };

  const stop = async (): Promise<void> => {
    connection.close();
    await running?.stop();
    running = undefined;
  };

  const image = (name: string, version = release): Promise<void> =>
    host.files.writeAtomic(`/var/lib/incus-os-extensions/${version}/${name}.raw`, 'image');
  const link = (name: string): Promise<void> =>
    host.files.makeSymlink(
      `/var/lib/incus-os-extensions/${release}/${name}.raw`,
      `/var/lib/extensions/${name}.raw`,
    );

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'app-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'error');
    machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
    await start();
  });

  afterEach(async () => {
    await stop();
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  it('records at the first start what the installation brought along', async () => {
    expect(await applications.listApplications({})).toEqual({ names: ['incus'] });
    expect(await applications.getApplication({ name: 'incus' })).toEqual({
      application: {
        $case: 'incus',
        value: {
          state: {
            is_primary: true,
            initialized: true,
            friendly_version: `7.0.2 [${release}]`,
            version: release,
            available_versions: [release],
            last_restored: undefined,
            services: undefined,
          },
          config: { pin_current_versions: false, lxcfs: { cpu_shares: false, load_average: false } },
        },
      },
    });
  });

  it('does not take a link or an image alone for an installed application', async () => {
    await image('debug');
    expect(await applications.listApplications({})).toEqual({ names: ['incus'] });
    await host.files.remove(`/var/lib/incus-os-extensions/${release}/incus.raw`);
    expect(await applications.listApplications({})).toEqual({ names: [] });
    await expect(applications.getApplication({ name: 'incus' })).rejects.toMatchObject({
      reason: 'NOT_FOUND',
      message: 'not found',
    });
  });

  it('knows which applications there are and what they need', async () => {
    const { applications: all } = await applications.listCatalogue({});
    expect(all.map(({ name }) => name)).toEqual([
      'debug',
      'gpu-support',
      'incus',
      'incus-ceph',
      'incus-linstor',
      'incus-lts-7.0',
      'migration-manager',
      'openfga',
      'operations-center',
    ]);
    expect(all.filter(({ primary }) => primary).map(({ name }) => name)).toEqual([
      'incus',
      'incus-lts-7.0',
      'migration-manager',
      'operations-center',
    ]);
    expect(all.find(({ name }) => name === 'incus-ceph')).toEqual({
      name: 'incus-ceph',
      primary: false,
      dependencies: [{ any_of: ['incus', 'incus-lts-7.0'] }],
      weight: -1,
      installed: false,
    });
    expect(all.find(({ name }) => name === 'incus')?.installed).toBe(true);
  });

  it('stores the configuration of Incus and gives LXCFS its options', async () => {
    await host.files.writeAtomic('/etc/default/incus', 'OTHER=kept\n');
    await applications.setConfig({
      name: 'incus',
      config: {
        $case: 'incus',
        value: { pin_current_versions: true, lxcfs: { cpu_shares: true, load_average: true } },
      },
    });
    expect(await host.files.readText('/etc/default/incus')).toBe(
      'OTHER=kept\nLXCFS_OPTS="--enable-cfs --enable-loadavg"\n',
    );
    await stop();
    // As a change leaves it that is cut off before it is stored.
    await host.files.writeAtomic('/etc/default/incus', 'OTHER=kept\nLXCFS_OPTS=""\n');
    await start();
    expect(await host.files.readText('/etc/default/incus')).toContain(
      'LXCFS_OPTS="--enable-cfs --enable-loadavg"',
    );
    const { application } = await applications.getApplication({ name: 'incus' });
    expect(application?.value.config).toEqual({
      pin_current_versions: true,
      lxcfs: { cpu_shares: true, load_average: true },
    });
    await expect(
      applications.setConfig({
        name: 'incus',
        config: { $case: 'openfga', value: { pin_current_versions: false, api_tokens: [], sync: undefined } },
      }),
    ).rejects.toMatchObject({ reason: 'INVALID_REQUEST' });
  });

  it('refuses installations that can not be', async () => {
    const install = (name: string): Promise<unknown> => applications.installApplication({ name });
    await expect(install('')).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'missing application name',
    });
    await expect(install('doom')).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: "unknown application 'doom'",
    });
    await expect(install('incus')).rejects.toMatchObject({ reason: 'CONFLICT', message: 'already exists' });
    await expect(install('operations-center')).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'a primary application is already installed',
    });
    await expect(install('incus-lts-7.0')).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: expect.stringContaining('current Incus version (7.0.2) is too new to') as string,
    });
    await expect(install('debug')).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
    await machine.change(({ system }) => {
      system.os.applications = [{ name: 'incus', version: '7.0.0' }];
    });
    await expect(install('incus-lts-7.0')).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
  });

  it('checks every other request before it says what is not built yet', async () => {
    const name = 'incus';
    await expect(applications.remove({ name })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'cannot remove a primary application',
    });
    await expect(
      applications.runAction({ name, action: { action: 'sing', config: {} } }),
    ).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: "unsupported action 'sing'",
    });
    await expect(
      applications.runAction({ name, action: { action: 'initialize-ceph-cluster', config: {} } }),
    ).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
    await expect(applications.switchVersion({ name, version: '' })).rejects.toThrow(
      'only one version of the application is available locally, cannot switch to a different version',
    );
    await image(name, '202611200500');
    await expect(applications.switchVersion({ name, version: '' })).rejects.toThrow(
      'cannot rollback application as no earlier version is available locally',
    );
    await expect(applications.switchVersion({ name, version: '1' })).rejects.toThrow(
      "cannot switch application to version '1' because it does not exist locally",
    );
    await expect(applications.switchVersion({ name, version: '202611200500' })).rejects.toMatchObject({
      reason: 'NOT_IMPLEMENTED',
    });
    for (const call of ['remove', 'restart', 'factoryReset', 'checkUpdate'] as const) {
      await expect(applications[call]({ name: 'openfga' }), call).rejects.toMatchObject({
        reason: 'NOT_FOUND',
      });
    }
    await expect(drain(applications.backup({ name, complete: false }))).rejects.toMatchObject({
      reason: 'NOT_IMPLEMENTED',
    });
    await expect(drain(applications.backup({ name: 'debug', complete: false }))).rejects.toMatchObject({
      reason: 'NOT_FOUND',
    });
  });

  it('says that an application without data has no backup and no factory reset', async () => {
    await stop();
    await host.files.remove('/var/lib/incus-os');
    await image('debug');
    await link('debug');
    await start();
    expect(await applications.listApplications({})).toEqual({ names: ['debug', 'incus'] });
    expect((await applications.getApplication({ name: 'debug' })).application).toMatchObject({
      $case: 'plain',
      value: { state: { is_primary: false, initialized: false, friendly_version: release } },
    });
    await expect(applications.factoryReset({ name: 'debug' })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'not supported',
    });
    await expect(
      applications.runAction({ name: 'debug', action: { action: 'x', config: {} } }),
    ).rejects.toThrow('not supported');
    await expect(drain(applications.backup({ name: 'debug', complete: false }))).rejects.toThrow(
      'not supported',
    );
  });

  it('restarts an application after it answered', async () => {
    await applications.restart({ name: 'incus' });
    expect(machine.read().system.units['incus.service']).toBeUndefined();
    await expect
      .poll(() => machine.read().system.units['incus.service']?.active, { timeout: 20_000 })
      .toBe('active');
  });

  const stateFiles = async (): Promise<(StateFile | undefined)[]> => {
    const files: (StateFile | undefined)[] = [];
    for await (const { file } of connection.use(StateOwnerService).exportState({})) files.push(file);
    return files;
  };
  const stage = async (files: readonly (StateFile | undefined)[], id = 'r1'): Promise<void> => {
    const messages = async function* (): AsyncGenerator<{
      restore_id: string;
      skip: string[];
      file: StateFile | undefined;
      schema_version: number;
    }> {
      for (const file of files) yield { restore_id: id, skip: [], file, schema_version: 1 };
    };
    await connection.use(StateOwnerService).stageImport(messages());
  };

  it('takes its own backup while it has no primary application, and none of a machine that has one', async () => {
    const withIncus = await stateFiles();
    await stop();
    await host.files.remove('/var/lib/extensions/incus.raw');
    await host.files.remove('/var/lib/incus-os/applications');
    await start();
    expect(await applications.listApplications({})).toEqual({ names: [] });
    await stage(await stateFiles());
    await connection.use(StateOwnerService).commitImport({ restore_id: 'r1' });
    await expect(stage(withIncus, 'r2')).rejects.toThrow("backup state doesn't include the incus");
  });

  it('takes no backup without its primary application', async () => {
    const withIncus = await stateFiles();
    const text = Buffer.concat(withIncus.map((file) => Buffer.from(file?.content ?? []))).toString();
    expect(text).toContain('"incus"');
    await stop();
    const kept = await host.files.readText('/var/lib/incus-os/applications/state.json');
    await host.files.remove('/var/lib/extensions/incus.raw');
    await host.files.remove('/var/lib/incus-os/applications');
    await start();
    const without = await stateFiles();
    await stop();
    await link('incus');
    await host.files.writeAtomic('/var/lib/incus-os/applications/state.json', kept);
    await start();
    expect(await applications.listApplications({})).toEqual({ names: ['incus'] });
    await expect(stage(without)).rejects.toThrow("backup state doesn't include the incus");
  });

  it('takes the configuration from a backup and keeps the versions of this machine', async () => {
    const owner = connection.use(StateOwnerService);
    await applications.setConfig({
      name: 'incus',
      config: {
        $case: 'incus',
        value: { pin_current_versions: true, lxcfs: { cpu_shares: true, load_average: false } },
      },
    });
    const files = await stateFiles();
    await owner.resetState({});
    const fresh = await applications.getApplication({ name: 'incus' });
    expect(fresh.application?.value.config?.pin_current_versions).toBe(false);
    await stage(files);
    await owner.commitImport({ restore_id: 'r1' });
    const restored = await applications.getApplication({ name: 'incus' });
    expect(restored.application?.value).toMatchObject({
      state: { version: release, friendly_version: `7.0.2 [${release}]` },
      config: { pin_current_versions: true, lxcfs: { cpu_shares: true } },
    });
    expect(await host.files.readText('/etc/default/incus')).toContain('--enable-cfs');
  });
});

async function drain(stream: AsyncIterable<unknown>): Promise<void> {
  for await (const message of stream) expect(message).toBeDefined();
}
