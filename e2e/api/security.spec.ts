import { LocalPrograms } from '@incusos/host';
import { afterAll, describe, expect, it } from 'vitest';
import { itsMachine, machine, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

interface Security {
  readonly config: {
    readonly encryption_recovery_keys: readonly string[];
    readonly custom_ca_certs?: readonly string[];
  };
  readonly state: Readonly<Record<string, unknown>> & {
    readonly encrypted_volumes: readonly { volume: string; state: string }[];
    readonly secure_boot_certificates: readonly {
      type: string;
      fingerprint: string;
      subject: string;
      issuer: string;
    }[];
    readonly pool_recovery_keys: Readonly<Record<string, string>>;
  };
}

const security = '/os/1.0/system/security';

async function certificate(name: string): Promise<string> {
  const { stdout } = await new LocalPrograms().run([
    'openssl',
    'req',
    '-x509',
    '-newkey',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-nodes',
    '-subj',
    `/CN=${name}`,
    '-keyout',
    '/dev/null',
  ]);
  return stdout;
}

describe('the security of the machine', () => {
  it('shows Secure Boot, the TPM, the encrypted volumes and the keys', async () => {
    const { config, state } = await rest.get<Security>(security);
    expect(state).toMatchObject({
      secure_boot_enabled: true,
      tpm_status: 'ok',
      system_state_is_trusted: true,
      system_state_status: 'system state is fully trusted',
    });
    expect(state.encrypted_volumes.map(({ volume }) => volume).toSorted()).toEqual(['root', 'swap']);
    for (const volume of state.encrypted_volumes) expect(volume.state).toBe('unlocked (TPM)');
    const types = new Set(state.secure_boot_certificates.map(({ type }) => type));
    expect([...types]).toEqual(expect.arrayContaining(['PK', 'KEK', 'db']));
    for (const { fingerprint } of state.secure_boot_certificates)
      expect(fingerprint).toMatch(/^[0-9a-f]{64}$/u);
    expect(config.encryption_recovery_keys).toHaveLength(1);
    expect(Buffer.from(state.pool_recovery_keys['local'] ?? '', 'base64')).toHaveLength(32);
  });

  itsMachine('shows the certificates of every variable of Secure Boot that firmware has', async () => {
    const variables = await machine.list('/sys/firmware/efi/efivars');
    const there = ['PK', 'KEK', 'db', 'dbx'].filter((name) =>
      variables.some((variable) => variable.startsWith(`${name}-`)),
    );
    const { state } = await rest.get<Security>(security);
    expect([...new Set(state.secure_boot_certificates.map(({ type }) => type))]).toEqual(there);
  });

  it('adds and removes recovery keys, and refuses weak ones', async () => {
    const { config } = await rest.get<Security>(security);
    const [first] = config.encryption_recovery_keys;
    const second = 'Quiet-Harbour_Lantern+Velvet 73';
    await rest.succeed('PUT', security, { json: { config: { encryption_recovery_keys: [first, second] } } });
    expect((await rest.get<Security>(security)).config.encryption_recovery_keys).toEqual([first, second]);
    for (const [keys, message] of [
      [[], 'no encryption key provided'],
      [[first, 'short-1'], ''],
      [[first, 'passwordpassword!'], ''],
    ] as const) {
      const { http, error } = await rest.envelope('PUT', security, {
        json: { config: { encryption_recovery_keys: keys } },
      });
      expect([http, error]).toEqual([400, expect.stringContaining(message)]);
    }
    await rest.succeed('PUT', security, { json: { config: { encryption_recovery_keys: [first] } } });
    expect((await rest.get<Security>(security)).config.encryption_recovery_keys).toEqual([first]);
  });

  it('takes certificate authorities of the owner, and only real ones', async () => {
    const { config } = await rest.get<Security>(security);
    const { encryption_recovery_keys } = config;
    const authority = await certificate('our own authority');
    await rest.succeed('PUT', security, {
      json: { config: { encryption_recovery_keys, custom_ca_certs: [authority] } },
    });
    expect((await rest.get<Security>(security)).config.custom_ca_certs).toEqual([authority]);
    const bad = await rest.envelope('PUT', security, {
      json: { config: { encryption_recovery_keys, custom_ca_certs: ['no certificate'] } },
    });
    expect(bad.http).toBe(400);
    expect((await rest.get<Security>(security)).config.custom_ca_certs).toEqual([authority]);
    await rest.succeed('PUT', security, { json: { config: { encryption_recovery_keys } } });
    expect((await rest.get<Security>(security)).config.custom_ca_certs).toBeUndefined();
  });

  it('remembers that the keys were fetched', async () => {
    await rest.succeed('POST', `${security}/:retrieved`);
    expect((await rest.get<Security>(security)).state).toMatchObject({
      encryption_recovery_keys_retrieved: true,
    });
  });

  it('refuses to bind the volumes anew while nothing is wrong', async () => {
    const { http, error } = await rest.envelope('POST', `${security}/:tpm-rebind`);
    expect(error).toBe(
      'refusing to reset TPM encryption bindings because current state can unlock all volumes',
    );
    expect(http).toBeGreaterThanOrEqual(400);
  });

  it('shows the event log that explains the PCRs', async () => {
    const log = await rest.get<{ event_log: unknown[]; pcr4: string; pcr7: string }>(
      '/os/1.0/debug/secureboot/event-log',
    );
    expect(log.event_log.length).toBeGreaterThan(0);
    expect(log.pcr7).toMatch(/^[0-9a-f]{64}$/u);
  });

  it('keeps the fallback listener’s settings, and refuses bad ones', async () => {
    const path = '/os/1.0/system/fallback-listener';
    const good = { listen_address: ':9999', trusted_client_certificates: [await certificate('emergency')] };
    await rest.succeed('PUT', path, { json: { config: good } });
    expect(await rest.get<{ config: object }>(path)).toMatchObject({ config: good });
    for (const [config, message] of [
      [{ ...good, listen_address: 'nowhere' }, 'invalid listen address: '],
      [
        { ...good, trusted_client_certificates: [] },
        'at least one trusted client TLS certificate must be defined',
      ],
      [{ ...good, trusted_client_certificates: ['text'] }, 'certificate at index 0 is not PEM-encoded'],
    ] as const) {
      const { http, error } = await rest.envelope('PUT', path, { json: { config } });
      expect([http, error]).toEqual([400, expect.stringContaining(message)]);
    }
  });
});
