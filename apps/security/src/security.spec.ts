import { createHash, X509Certificate } from 'node:crypto';
import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  SecurityServiceService,
  type SystemSecurity,
  TrustServiceService,
} from '@incusos/contracts/security';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Host } from '@incusos/host';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SecurityModule } from './security.module.ts';
import { startFakeStorage } from './testing/fake-storage.ts';

const goodKey = 'foo-bar-biz-1234';
const otherKey = 'correct horse, battery staple';

/** Certificates that nobody has the keys of. */
function certificateOf(machine: EmulatedMachine, which: 'db' | 'kek' | 'dbx'): string {
  return new X509Certificate(
    Buffer.from(machine.read().security.secure_boot[which][0] ?? '', 'base64'),
  ).toString();
}

describe('the security service', () => {
  let bootedMachine: string;
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;
  let running: RunningService | undefined;
  let connection: ServiceConnection;
  let security: ServiceClient<typeof SecurityServiceService>;
  let trust: ServiceClient<typeof TrustServiceService>;
  let starts = 0;

  const start = async (): Promise<void> => {
    starts += 1;
    const socket = join(directory, `security-${starts}.sock`);
    running = await startService(
      SecurityModule.on(() => Promise.resolve(host)),
      'security',
      { socket },
    );
    connection = connectService('security', socket);
    security = connection.use(SecurityServiceService);
    trust = connection.use(TrustServiceService);
  };

  /** Waits until the volumes hold the keys that the service shows from its start on. */
  const inStep = (): Promise<void> =>
    vi.waitFor(
      async () =>
        expect(await host.files.readText('/var/lib/incus-os/security/state.json')).toContain(
          '"keyslots_in_step":true',
        ),
      { timeout: 60_000 },
    );

  const stop = async (): Promise<void> => {
    connection.close();
    await running?.stop();
    running = undefined;
  };

  const read = async (): Promise<{
    config: NonNullable<SystemSecurity['config']>;
    state: NonNullable<SystemSecurity['state']>;
  }> => {
    const { security: answer } = await security.getSecurity({});
    if (answer?.config === undefined || answer.state === undefined)
      throw new Error('the answer has no configuration or no state');
    return { config: answer.config, state: answer.state };
  };

  const put = (keys: readonly string[], certificates: readonly string[] = []): Promise<unknown> =>
    security.setConfig({
      config: { encryption_recovery_keys: [...keys], custom_ca_certs: [...certificates] },
    });

  const exec = async (
    argv: readonly [string, ...string[]],
    stdin?: string,
  ): Promise<{ exitCode: number; stdout: string }> =>
    host.programs.run(argv, { acceptExitCodes: 'any', ...(stdin === undefined ? {} : { stdin }) });

  const opens = async (volume: string, key: string): Promise<boolean> =>
    (
      await exec(
        ['cryptsetup', 'open', '--test-passphrase', '--key-file', '-', `/dev/disk/by-partlabel/${volume}`],
        key,
      )
    ).exitCode === 0;

  const kinds = async (volume: string): Promise<string[]> => {
    const { stdout } = await exec(['systemd-cryptenroll', `/dev/disk/by-partlabel/${volume}`]);
    return stdout
      .trim()
      .split('\n')
      .slice(1)
      .map((line) => line.trim().split(' ')[1] ?? '')
      .toSorted();
  };

  beforeAll(async () => {
    bootedMachine = await mkdtemp(join(tmpdir(), 'sec-'));
    const first = new EmulatedMachine(bootedMachine);
    first.create();
    await switchOn(first);
  });

  afterAll(() => rm(bootedMachine, { recursive: true }));

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sec-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'error');
    // A machine that was switched on once is the start of every test.
    await cp(bootedMachine, directory, { recursive: true, verbatimSymlinks: true });
    machine = new EmulatedMachine(directory);
    host = openEmulatedHost(machine);
    await start();
    await inStep();
  });

  afterEach(async () => {
    await stop();
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  it('shows a healthy machine: Secure Boot on, TPM well, volumes opened by it, trusted', async () => {
    const { config, state } = await read();
    expect(config.encryption_recovery_keys).toEqual([
      expect.stringMatching(/^(?:[cbdefghijklnrtuv]{8}-){7}[cbdefghijklnrtuv]{8}$/u),
    ]);
    expect(state).toMatchObject({
      encrypted_volumes: [
        { volume: 'root', state: 'unlocked (TPM)' },
        { volume: 'swap', state: 'unlocked (TPM)' },
      ],
      encryption_recovery_keys_retrieved: false,
      pool_recovery_keys: {},
      drive_recovery_keys: {},
      secure_boot_enabled: true,
      system_state_is_trusted: true,
      system_state_status: 'system state is fully trusted',
      tpm_status: 'ok',
    });
    expect(state.tpm_public_key).toBeUndefined();
  });

  it('lists the certificates of the firmware with names, issuers and fingerprints', async () => {
    const { state } = await read();
    expect(
      state.secure_boot_certificates.map(({ type, subject, issuer }) => [type, subject, issuer]),
    ).toEqual([
      ['PK', 'CN=TestOS - Secure Boot PK R1,O=TestOS', 'CN=TestOS - Secure Boot PK R1,O=TestOS'],
      ['KEK', 'CN=TestOS - Secure Boot KEK R1,O=TestOS', 'CN=TestOS - Secure Boot PK R1,O=TestOS'],
      ['db', 'CN=TestOS - Secure Boot 2026 R1,O=TestOS', 'CN=TestOS - Secure Boot KEK R1,O=TestOS'],
      ['dbx', 'CN=TestOS - Secure Boot 2024 R1,O=TestOS', 'CN=TestOS - Secure Boot KEK R1,O=TestOS'],
    ]);
    const der = Buffer.from(machine.read().security.secure_boot.db[0] ?? '', 'base64');
    expect(state.secure_boot_certificates[2]?.fingerprint).toBe(
      createHash('sha256').update(der).digest('hex'),
    );
    const { certificates } = await security.getSecureBootCertificates({});
    expect(certificates).toMatchObject({
      kek: [certificateOf(machine, 'kek')],
      db: [certificateOf(machine, 'db')],
      dbx: [certificateOf(machine, 'dbx')],
    });
    expect(certificates?.pk).toContain('BEGIN CERTIFICATE');
  });

  it('enrols the first recovery key on both volumes, beside a key of its own and the TPM', async () => {
    const { config } = await read();
    for (const volume of ['root', 'swap']) {
      expect(await opens(volume, config.encryption_recovery_keys[0] ?? '')).toBe(true);
      expect(await kinds(volume)).toEqual(['password', 'recovery', 'tpm2']);
      const own = await machine.files.stat(`/var/lib/incus-os/security/recovery.${volume}.key`);
      expect(own?.mode).toBe(0o400);
    }
    const token = Object.values(machine.read().security.luks[0]?.tokens ?? {}).find(
      ({ type }) => type === 'systemd-tpm2',
    );
    expect(token?.['tpm2-pcrs']).toEqual([7, 15]);
  });

  it('adds and removes recovery keys on both volumes, and opens neither with a removed one', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    await put([first, goodKey]);
    expect((await read()).config.encryption_recovery_keys).toEqual([first, goodKey]);
    await put([goodKey, otherKey]);
    expect((await read()).config.encryption_recovery_keys).toEqual([goodKey, otherKey]);
    for (const volume of ['root', 'swap']) {
      expect(await opens(volume, first)).toBe(false);
      expect(await opens(volume, goodKey)).toBe(true);
      expect(await opens(volume, otherKey)).toBe(true);
      expect(await kinds(volume)).toEqual(['password', 'password', 'recovery', 'tpm2']);
    }
  });

  it.each([
    {
      what: 'no key',
      keys: [],
      message: 'no encryption key provided',
      field: 'config.encryption_recovery_keys',
    },
    {
      what: 'a short key',
      keys: ['Shrt!key'],
      message: /at least 15 characters/u,
      field: 'config.encryption_recovery_keys[0]',
    },
    {
      what: 'a key without a symbol',
      keys: ['abcdefgh12345678XYZ'],
      message: /at least one symbol/u,
      field: 'config.encryption_recovery_keys[0]',
    },
    {
      what: 'a key that is easy to guess',
      keys: ['password-password-password'],
      message: /too easy to guess/u,
      field: 'config.encryption_recovery_keys[0]',
    },
    {
      what: 'the same key twice',
      keys: [goodKey, goodKey],
      message: 'provided encryption key is already enrolled',
      field: 'config.encryption_recovery_keys[1]',
    },
    {
      what: 'a key of two lines',
      keys: ['two lines are\nno passphrase!'],
      message: /one line/u,
      field: 'config.encryption_recovery_keys[0]',
    },
  ])('refuses $what, and changes nothing', async ({ keys, message, field }) => {
    const before = await read();
    const slots = structuredClone(machine.read().security.luks);
    await expect(put(keys)).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: typeof message === 'string' ? message : expect.stringMatching(message),
      fields: [expect.objectContaining({ field })],
    });
    expect((await read()).config).toEqual(before.config);
    expect(machine.read().security.luks).toEqual(slots);
  });

  it('repeats no key in an error', async () => {
    await expect(put(['Secret!but!short'.slice(0, 12)])).rejects.toSatisfy(
      (error) => !String(error).includes('Secret'),
    );
  });

  it('refuses a bad certificate authority before it touches a key', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    const good = certificateOf(machine, 'db');
    await expect(put([first, goodKey], [good, 'nonsense'])).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'unable to decode certificate 1',
      fields: [{ field: 'config.custom_ca_certs[1]', reason: 'must be a certificate in PEM' }],
    });
    await expect(put([first], [good.replaceAll('CERTIFICATE', 'PUBLIC KEY')])).rejects.toThrow(
      "certificate 0 isn't a PEM-encoded certificate",
    );
    expect((await read()).config.encryption_recovery_keys).toEqual([first]);
    expect(await opens('root', goodKey)).toBe(false);
  });

  it('adds custom certificate authorities to those of the image, and leaves only those when they go', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    const { files } = machine;
    await files.writeAtomic('/usr/share/certs/ca-certificates.crt', 'bundle of the image\n');
    const custom = certificateOf(machine, 'db');
    await put([first], [custom]);
    const bundle = await files.readText(`${await files.realPath('/etc/ssl/certs')}/ca-certificates.crt`);
    expect(bundle).toBe(`bundle of the image\n${custom}`);
    expect((await read()).config.custom_ca_certs).toEqual([custom]);
    await put([first]);
    expect(await files.readLink('/etc/ssl/certs')).toBe('/usr/share/certs');
    expect((await read()).config.custom_ca_certs).toEqual([]);
  });

  it('keeps everything over a restart', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    await put([first, goodKey], [certificateOf(machine, 'db')]);
    await security.markRecoveryKeysRetrieved({});
    const before = await read();
    await stop();
    await start();
    expect(await read()).toEqual(before);
    expect(before.state.encryption_recovery_keys_retrieved).toBe(true);
  });

  it('shows the first key of a new machine at once, while its slow volumes have yet to take it', async () => {
    await stop();
    await rm(directory, { recursive: true });
    await cp(bootedMachine, directory, { recursive: true, verbatimSymlinks: true });
    const run = host.programs.run.bind(host.programs);
    let end = (): void => undefined;
    const slow = new Promise<void>((resolve) => (end = resolve));
    let begun = false;
    vi.spyOn(host.programs, 'run').mockImplementation(async (argv, options) => {
      if (argv[0] === 'systemd-cryptenroll') {
        begun = true;
        await slow;
      }
      return run(argv, options);
    });
    await start();
    await vi.waitFor(() => expect(begun).toBe(true));
    const { config } = await read();
    const [key = '', ...others] = config.encryption_recovery_keys;
    expect([key, others]).toEqual([expect.stringMatching(/./u), []]);
    expect(await opens('root', key)).toBe(false);
    end();
    await inStep();
    for (const volume of ['root', 'swap']) expect(await opens(volume, key)).toBe(true);
    expect((await read()).config).toEqual(config);
    vi.restoreAllMocks();
  });

  it('brings the volumes back in step after a crash in the middle of a change', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    const run = host.programs.run.bind(host.programs);
    // The machine dies after the first volume got the new key and before the second one did.
    let calls = 0;
    vi.spyOn(host.programs, 'run').mockImplementation((argv, options) => {
      calls += 1;
      return calls > 1 ? new Promise(() => undefined) : run(argv, options);
    });
    void put([goodKey]).catch(() => undefined);
    await vi.waitFor(() => expect(calls).toBe(2));
    expect(machine.read().security.luks.map(({ keyslots }) => Object.keys(keyslots).length)).toEqual([4, 3]);
    vi.restoreAllMocks();
    await stop();
    await start();
    expect((await read()).config.encryption_recovery_keys).toEqual([first]);
    await inStep();
    for (const volume of ['root', 'swap']) {
      expect(await opens(volume, first)).toBe(true);
      expect(await opens(volume, goodKey)).toBe(false);
      expect(await kinds(volume)).toEqual(['password', 'recovery', 'tpm2']);
    }
  });

  it('takes a change back when the disk has no room for it', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    await machine.change(({ faults }) => {
      faults.full_directories = ['/var/lib/incus-os/security'];
    });
    await expect(put([first, goodKey])).rejects.toMatchObject({ reason: 'NO_SPACE' });
    await machine.change(({ faults }) => {
      faults.full_directories = [];
    });
    expect((await read()).config.encryption_recovery_keys).toEqual([first]);
    expect(await opens('swap', goodKey)).toBe(false);
    await put([first, goodKey]);
    expect(await opens('swap', goodKey)).toBe(true);
  });

  it('shows the keys of pools and drives, and says so when a new pool brings a key that nobody took', async () => {
    const pools: Record<string, string> = { local: 'bG9jYWw=' };
    const drives = { '/dev/disk/by-id/scsi-data': 'ZHJpdmU=' };
    const storage = await startFakeStorage(join(directory, 'storage.sock'), () => ({ pools, drives }));
    const { state } = await read();
    expect(state.pool_recovery_keys).toEqual({ local: 'bG9jYWw=' });
    expect(state.drive_recovery_keys).toEqual({ 'scsi-data': 'ZHJpdmU=' });
    await security.markRecoveryKeysRetrieved({});
    expect((await read()).state.encryption_recovery_keys_retrieved).toBe(true);
    expect(await security.getRecoveryKeyStatus({})).toEqual({ retrieved: true });
    pools['other'] = 'b3RoZXI=';
    expect((await read()).state.encryption_recovery_keys_retrieved).toBe(false);
    expect(await security.getRecoveryKeyStatus({})).toEqual({ retrieved: false });
    await security.markRecoveryKeysRetrieved({});
    expect((await read()).state.encryption_recovery_keys_retrieved).toBe(true);
    storage.stop();
    expect((await read()).state).toMatchObject({ pool_recovery_keys: {}, drive_recovery_keys: {} });
  });

  it('makes two changes at once one after the other', async () => {
    const [first = ''] = (await read()).config.encryption_recovery_keys;
    await Promise.all([put([first, goodKey]), put([first, otherKey])]);
    expect((await read()).config.encryption_recovery_keys).toEqual([first, otherKey]);
    for (const volume of ['root', 'swap']) {
      expect(await opens(volume, goodKey)).toBe(false);
      expect(await opens(volume, otherKey)).toBe(true);
      expect(await kinds(volume)).toEqual(['password', 'password', 'recovery', 'tpm2']);
    }
  });

  it('refuses to rebind a TPM that opens the volumes', async () => {
    await expect(security.rebindTpm({})).rejects.toMatchObject({
      reason: 'PRECONDITION_FAILED',
      message: 'refusing to reset TPM encryption bindings because current state can unlock all volumes',
    });
  });

  it('binds the volumes to a TPM that was cleared, which then opens them again', async () => {
    await read();
    await stop();
    await machine.change(({ security: { tpm } }) => {
      tpm.seed = 'cleared';
    });
    await switchOn(machine);
    await start();
    expect((await read()).state.encrypted_volumes[0]?.state).toBe('unlocked (recovery passphrase)');
    await security.rebindTpm({});
    expect(machine.read().system.power.state).toBe('rebooting');
    await stop();
    await switchOn(machine);
    await start();
    expect((await read()).state.encrypted_volumes.map(({ state }) => state)).toEqual([
      'unlocked (TPM)',
      'unlocked (TPM)',
    ]);
  });

  it('says that PCR 7 will not match when a firmware key changed since the boot', async () => {
    await read();
    const path = '/sys/firmware/efi/efivars/dbx-d719b2cb-3d3a-4596-a3bc-dad00e67656f';
    const revocations = await machine.files.readBytes(path);
    await machine.files.writeAtomic(path, Buffer.concat([revocations, revocations.subarray(4)]));
    await vi.waitFor(async () => expect((await read()).state.tpm_status).toBe('pcr mismatch'));
    expect((await read()).state.secure_boot_certificates).toHaveLength(5);
  });

  it('never trusts a machine again that ran without Secure Boot', async () => {
    const reboot = async (enabled: boolean): Promise<void> => {
      await stop();
      await machine.change(({ security: { secure_boot } }) => {
        secure_boot.enabled = enabled;
      });
      await switchOn(machine);
      await start();
    };
    await reboot(false);
    const { state } = await read();
    expect(state).toMatchObject({
      secure_boot_enabled: false,
      system_state_is_trusted: false,
      system_state_status: 'Secure Boot is disabled',
    });
    await expect(security.updateSecureBoot(chunks())).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'cannot apply certificate update when Secure Boot is disabled',
    });
    await reboot(true);
    expect((await read()).state).toMatchObject({
      secure_boot_enabled: true,
      system_state_is_trusted: false,
      system_state_status: 'no current issues, but system was previously in an untrusted state',
    });
  });

  it.each([
    {
      what: 'without a TPM',
      ruin: () =>
        Promise.all(
          ['/sys/class/tpm', '/sys/kernel/security/tpm0'].map((path) => machine.files.remove(path)),
        ),
      status: 'pcr mismatch',
    },
    {
      what: 'without an event log',
      ruin: () => machine.files.remove('/sys/kernel/security/tpm0'),
      status: 'ok',
    },
    {
      what: 'with an event log that is cut short',
      ruin: async () => {
        const path = '/sys/kernel/security/tpm0/binary_bios_measurements';
        await machine.files.writeAtomic(path, (await machine.files.readBytes(path)).subarray(0, 900));
      },
      status: 'ok',
    },
    {
      what: 'without firmware variables',
      ruin: () => machine.files.remove('/sys/firmware/efi'),
      status: 'pcr mismatch',
    },
  ])('answers on a machine $what', async ({ ruin, status }) => {
    await stop();
    await ruin();
    await start();
    const { state } = await read();
    expect(state.tpm_status).toBe(status);
    expect((await security.getEventLog({})).log).toBeDefined();
  });

  it('shows the events of PCR 4, 7 and 11 with their digests, and the registers', async () => {
    const { log } = await security.getEventLog({});
    expect(new Set(log?.event_log.map((event) => event['Index']))).toEqual(new Set([4, 7, 11]));
    expect(log?.event_log[0]).toMatchObject({
      Index: 7,
      Type: 0x80000001,
      Data: expect.any(String),
      Digest: expect.any(String),
    });
    const pcr7 = (await readFile(join(directory, 'root/sys/class/tpm/tpm0/pcr-sha256/7'), 'utf8'))
      .trim()
      .toLowerCase();
    expect(log?.pcr7).toBe(pcr7);
  });

  it('says what it does not do yet', async () => {
    await expect(security.updateSecureBoot(chunks())).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
    await expect(security.generateRegistration({ token: '' })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'missing registration token',
    });
    await expect(security.generateRegistration({ token: 'x' })).rejects.toMatchObject({
      reason: 'NOT_IMPLEMENTED',
    });
    await expect(security.generateToken({})).rejects.toThrow(
      "authentication token generation isn't supported on this system",
    );
  });

  describe('trusted clients', () => {
    it('are known by fingerprint, once each', async () => {
      const certificate = certificateOf(machine, 'db');
      const { client } = await trust.addTrustedClient({ certificate, name: ' laptop ', role: '' });
      const fingerprint = new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
      expect(client).toEqual({ fingerprint, certificate, name: 'laptop', role: 'admin' });
      await expect(
        trust.addTrustedClient({ certificate, name: 'again', role: 'admin' }),
      ).rejects.toMatchObject({
        reason: 'CONFLICT',
        message: 'client certificate is already trusted',
      });
      expect((await trust.listTrustedClients({})).clients).toEqual([client]);
      await stop();
      await start();
      expect((await trust.listTrustedClients({})).clients).toEqual([client]);
    });

    it('are not added from nonsense', async () => {
      await expect(
        trust.addTrustedClient({ certificate: 'nonsense', name: '', role: '' }),
      ).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        fields: [{ field: 'certificate', reason: 'it is not PEM-encoded' }],
      });
      const certificate = certificateOf(machine, 'db');
      await expect(trust.addTrustedClient({ certificate, name: '', role: 'emperor' })).rejects.toThrow(
        "unknown role 'emperor'",
      );
      expect((await trust.listTrustedClients({})).clients).toEqual([]);
    });

    it('are told to whoever watches, at once and after every change', async () => {
      const stopWatching = new AbortController();
      const seen: number[] = [];
      const watching = (async () => {
        for await (const { clients } of trust.watchTrustedClients({}, { signal: stopWatching.signal })) {
          seen.push(clients.length);
          if (seen.length === 3) stopWatching.abort();
        }
      })().catch(() => undefined);
      await vi.waitFor(() => expect(seen).toEqual([0]));
      await trust.addTrustedClient({ certificate: certificateOf(machine, 'db'), name: 'a', role: '' });
      await vi.waitFor(() => expect(seen).toEqual([0, 1]));
      await trust.addTrustedClient({ certificate: certificateOf(machine, 'kek'), name: 'b', role: '' });
      await watching;
      expect(seen).toEqual([0, 1, 2]);
    });
  });

  describe('the fallback listener', () => {
    it('keeps its settings, and not the state that a client sends', async () => {
      const config = {
        listen_address: ':8443',
        trusted_client_certificates: [certificateOf(machine, 'db')],
        persistent: true,
      };
      await trust.setFallbackListener({ fallback_listener: { config, state: { active: true } } });
      await stop();
      await start();
      expect((await trust.getFallbackListener({})).fallback_listener).toEqual({
        config,
        state: { active: false },
      });
    });

    it.each([
      { config: { listen_address: 'nowhere' }, message: /^invalid listen address: / },
      { config: {}, message: 'at least one trusted client TLS certificate must be defined' },
      {
        config: { trusted_client_certificates: ['nonsense'] },
        message: 'certificate at index 0 is not PEM-encoded',
      },
      {
        config: {
          trusted_client_certificates: ['-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----'],
        },
        message: /^certificate at index 0 is not valid: /,
      },
    ])('refuses $config', async ({ config, message }) => {
      const whole = { trusted_client_certificates: [], persistent: false, ...config };
      await expect(
        trust.setFallbackListener({ fallback_listener: { config: whole, state: { active: false } } }),
      ).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        message: typeof message === 'string' ? message : expect.stringMatching(message),
      });
    });
  });
});

async function* chunks(): AsyncGenerator<{ chunk: Buffer }> {
  yield { chunk: Buffer.from('not a tar archive') };
}
