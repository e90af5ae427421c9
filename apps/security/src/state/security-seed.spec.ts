import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Logger } from '@incusos/service';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { fingerprintOf } from '../certificates/pem.ts';
import { CustomCaService } from '../certificates/custom-ca.service.ts';
import { SecuritySeed } from './security-seed.ts';
import { openSecurityState, type SecurityState } from './security-state.ts';

let directory: string;
let host: Host;
let certificate: string;
const error = vi.fn<(message: string, details?: unknown) => void>();
const logger = { error, info: () => undefined } as unknown as Logger;

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'sec-'));
  const machine = new EmulatedMachine(directory);
  machine.create();
  await switchOn(machine);
  host = openEmulatedHost(machine);
  const [der = ''] = machine.read().security.secure_boot.db;
  certificate = new X509Certificate(Buffer.from(der, 'base64')).toString();
  error.mockClear();
});

afterEach(() => rmSync(directory, { recursive: true }));

async function seed(content: object, name = 'security'): Promise<void> {
  const tar = pack();
  tar.entry({ name: `${name}.json` }, JSON.stringify(content));
  tar.finalize();
  const partition = await host.files.realPath('/dev/disk/by-partlabel/seed-data');
  await host.files.writeAtomic(partition, await buffer(tar));
}

/** The state after a start of the service. */
async function started(): Promise<SecurityState> {
  const state = await openSecurityState(host);
  await new SecuritySeed(host, state, new CustomCaService(host, logger), logger).follow();
  return state.current;
}

describe('the first start of the security service', () => {
  it('trusts the authorities of the seed, and no later start does', async () => {
    await seed({ version: '1', custom_ca_certs: [certificate] });
    expect((await started()).custom_ca_certs).toEqual([certificate]);
    await seed({ custom_ca_certs: [] });
    expect((await started()).custom_ca_certs).toEqual([certificate]);
    expect(error).not.toHaveBeenCalled();
  });

  it('without a seed is the end of the time for seeds', async () => {
    await started();
    await seed({ custom_ca_certs: [certificate] });
    expect((await started()).custom_ca_certs).toEqual([]);
  });

  it.each([
    [
      { encryption_recovery_keys: ['secret'] },
      { error: 'security.json: it is not possible to set encryption recovery key(s) via the security seed' },
    ],
    [{ custom_ca_certs: ['x'] }, { field: 'custom_ca_certs[0]', error: 'unable to decode certificate 0' }],
    [{ ca: [] }, { error: 'security.json: ca: is not a known key' }],
  ])('says why it goes on without the seed %j', async (content, complaint) => {
    await seed(content);
    expect((await started()).custom_ca_certs).toEqual([]);
    expect(error.mock.calls).toEqual([['the security seed is not used', complaint]]);
  });

  it('trusts the unrestricted clients that Incus is to be initialised with, and no later start does', async () => {
    const client = { type: 'client', certificate, name: 'laptop' };
    await seed(
      {
        preseed: {
          certificates: [
            { ...client, restricted: true },
            { ...client, type: 'metrics' },
          ],
        },
      },
      'incus',
    );
    expect((await started()).trusted_clients).toEqual([]);
    await seed({ preseed: { certificates: [client] } }, 'incus');
    expect((await started()).trusted_clients).toEqual([]);
  });

  it('trusts a client of the incus seed once', async () => {
    const client = { type: 'client', certificate, name: 'laptop' };
    await seed({ preseed: { certificates: [client, client, 'x'] } }, 'incus');
    expect((await started()).trusted_clients).toEqual([
      {
        fingerprint: fingerprintOf(new X509Certificate(certificate)),
        certificate,
        name: 'laptop',
        role: 'admin',
      },
    ]);
    expect(error).not.toHaveBeenCalled();
  });

  it.each([
    [
      { preseed: { certificates: [{ type: 'client', certificate: 'x' }] } },
      [
        'a client certificate of the incus seed is not used',
        {
          field: 'preseed.certificates[0]',
          error: 'client certificate is not valid: it is not PEM-encoded',
        },
      ],
    ],
    [{ seeds: {} }, ['the incus seed is not used', { error: 'incus.json: seeds: is not a known key' }]],
  ])('says why it trusts nobody by the incus seed %j', async (content, complaint) => {
    await seed(content, 'incus');
    expect((await started()).trusted_clients).toEqual([]);
    expect(error.mock.calls).toEqual([complaint]);
  });
});
