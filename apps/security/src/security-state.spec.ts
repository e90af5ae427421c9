import { X509Certificate } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SecurityServiceService, TrustServiceService } from '@incusos/contracts/security';
import { type StageImportRequest, StateOwnerService } from '@incusos/contracts/state';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { connectService, type RunningService, type ServiceConnection, startService } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SecurityModule } from './security.module.ts';
import { initialState, validateState } from './state/security-state.ts';

const oldKey = 'foo-bar-biz-1234';
const newKey = 'correct horse, battery staple';

/** One machine with the service on it. */
class Appliance {
  readonly machine: EmulatedMachine;
  private running: RunningService | undefined;
  private connection: ServiceConnection | undefined;

  constructor(readonly directory: string) {
    this.machine = new EmulatedMachine(directory);
  }

  async start(): Promise<void> {
    this.machine.create();
    await switchOn(this.machine);
    const socket = join(this.directory, 'security.sock');
    this.running = await startService(
      SecurityModule.on(() => Promise.resolve(openEmulatedHost(this.machine))),
      'security',
      { socket },
    );
    this.connection = connectService('security', socket);
    await this.keys();
  }

  async stop(): Promise<void> {
    this.connection?.close();
    await this.running?.stop();
    await rm(this.directory, { recursive: true });
  }

  use<S extends Parameters<ServiceConnection['use']>[0]>(definition: S): ReturnType<typeof connect<S>> {
    if (this.connection === undefined) throw new Error('the appliance is not started');
    return connect(this.connection, definition);
  }

  async keys(): Promise<string[]> {
    const { security } = await this.use(SecurityServiceService).getSecurity({});
    return security?.config?.encryption_recovery_keys ?? [];
  }

  async put(...keys: string[]): Promise<void> {
    await this.use(SecurityServiceService).setConfig({
      config: { encryption_recovery_keys: keys, custom_ca_certs: [] },
    });
  }

  async opens(key: string): Promise<boolean[]> {
    const { programs } = openEmulatedHost(this.machine);
    return Promise.all(
      ['root', 'swap'].map(async (volume) => {
        const argv = [
          'cryptsetup',
          'open',
          '--test-passphrase',
          '--key-file',
          '-',
          `/dev/disk/by-partlabel/${volume}`,
        ] as const;
        return (await programs.run(argv, { stdin: key, acceptExitCodes: 'any' })).exitCode === 0;
      }),
    );
  }

  certificate(which: 'db' | 'kek'): string {
    return new X509Certificate(
      Buffer.from(this.machine.read().security.secure_boot[which][0] ?? '', 'base64'),
    ).toString();
  }
}

function connect<S extends Parameters<ServiceConnection['use']>[0]>(
  connection: ServiceConnection,
  definition: S,
) {
  return connection.use(definition);
}

describe('the state of the security service', () => {
  let source: Appliance;
  let target: Appliance;

  beforeEach(async () => {
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'silent');
    source = new Appliance(await mkdtemp(join(tmpdir(), 'sec-')));
    target = new Appliance(await mkdtemp(join(tmpdir(), 'sec-')));
    vi.stubEnv('INCUSOS_RUN_DIR', source.directory);
    await Promise.all([source.start(), target.start()]);
  });

  afterEach(async () => {
    await Promise.all([source.stop(), target.stop()]);
    vi.unstubAllEnvs();
  });

  const backup = async (): Promise<{ name: string; content: Buffer }[]> => {
    const files: { name: string; content: Buffer }[] = [];
    for await (const { file } of source.use(StateOwnerService).exportState({})) {
      if (file !== undefined) files.push({ name: file.name, content: file.content });
    }
    return files;
  };

  const stage = async (
    files: readonly { name: string; content: Buffer }[],
    skip: string[] = [],
  ): Promise<void> => {
    async function* messages(): AsyncGenerator<StageImportRequest> {
      for (const { name, content } of files) {
        yield { restore_id: 'r1', skip, schema_version: 1, file: { name, mode: 0o600, content, last: true } };
      }
    }
    await target.use(StateOwnerService).stageImport(messages());
  };

  it('carries no key that opens only the volumes of the machine it comes from', async () => {
    expect((await backup()).map(({ name }) => name)).toEqual(['state.json']);
  });

  it('brings the passphrases of a backup onto the volumes of another machine, and only those', async () => {
    await source.put(oldKey);
    const [before = ''] = await target.keys();
    await stage(await backup());
    expect(await target.keys()).toEqual([before]);
    await target.use(StateOwnerService).commitImport({ restore_id: 'r1' });
    expect(await target.keys()).toEqual([oldKey]);
    expect(await target.opens(oldKey)).toEqual([true, true]);
    expect(await target.opens(before)).toEqual([false, false]);
    await target.put(oldKey, newKey);
    expect(await target.opens(newKey)).toEqual([true, true]);
  });

  it('keeps the passphrases of the machine when asked to', async () => {
    await source.put(oldKey);
    const before = await target.keys();
    await stage(await backup(), ['encryption-recovery-keys']);
    await target.use(StateOwnerService).commitImport({ restore_id: 'r1' });
    expect(await target.keys()).toEqual(before);
    expect(await target.opens(before[0] ?? '')).toEqual([true, true]);
    expect(await target.opens(oldKey)).toEqual([false, false]);
  });

  it('trusts the clients of the backup and still those who are trusted now', async () => {
    const { certificate } =
      (
        await source
          .use(TrustServiceService)
          .addTrustedClient({ certificate: source.certificate('db'), name: 'old', role: '' })
      ).client ?? {};
    await target
      .use(TrustServiceService)
      .addTrustedClient({ certificate: target.certificate('kek'), name: 'present', role: '' });
    await stage(await backup());
    await target.use(StateOwnerService).commitImport({ restore_id: 'r1' });
    const { clients } = await target.use(TrustServiceService).listTrustedClients({});
    expect(clients.map(({ name }) => name)).toEqual(['old', 'present']);
    expect(clients[0]?.certificate).toBe(certificate);
  });

  it('refuses a restore while the TPM would not open the volumes', async () => {
    const files = await backup();
    await target.machine.files.remove('/sys/class/tpm');
    await vi.waitFor(() =>
      expect(stage(files)).rejects.toMatchObject({
        reason: 'PRECONDITION_FAILED',
        message: "TPM status isn't OK: pcr mismatch",
      }),
    );
  });

  it('makes new keys after a reset', async () => {
    const [before = ''] = await target.keys();
    await target.use(StateOwnerService).resetState({});
    const [after = ''] = await target.keys();
    expect(after).not.toBe(before);
    expect(await target.opens(before)).toEqual([false, false]);
    expect(await target.opens(after)).toEqual([true, true]);
  });
});

describe('validateState', () => {
  it('takes what the service writes', () => {
    expect(validateState(JSON.parse(JSON.stringify(initialState())))).toEqual(initialState());
  });

  it.each([
    [null, 'state is not an object'],
    [{ ...initialState(), recovery_keys: 'one' }, 'recovery_keys is not a list'],
    [{ ...initialState(), recovery_keys: [1] }, 'recovery_keys[0] is not a text'],
    [{ ...initialState(), trusted_clients: [{}] }, 'trusted_clients[0].fingerprint is not a text'],
    [{ ...initialState(), keyslots_in_step: 1 }, 'keyslots_in_step is not a boolean'],
    [{ ...initialState(), fallback_listener: [] }, 'fallback_listener is not an object'],
  ])('names the member of %j that is wrong', (data, message) => {
    expect(() => validateState(data)).toThrow(message);
  });
});
