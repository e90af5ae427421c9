import { afterAll, describe, expect, it } from 'vitest';
import { throughReboot, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

interface Configurations {
  readonly network: unknown;
  readonly update: unknown;
  readonly logging: unknown;
  readonly kernel: unknown;
  readonly schedule: unknown;
}

async function configurations(): Promise<Configurations> {
  const config = async (part: string): Promise<Record<string, unknown>> =>
    (await rest.get<{ config: Record<string, unknown> }>(`/os/1.0/system/${part}`)).config;
  const [network, update, logging, kernel, storage] = await Promise.all(
    ['network', 'update', 'logging', 'kernel', 'storage'].map(config),
  );
  return { network, update, logging, kernel, schedule: storage?.['scrub_schedule'] };
}

/** Changes something in every service that has configuration, to one of two values: the one that isn't there now. */
async function changeEverything({
  network,
  update,
  logging,
  kernel,
  schedule,
}: Configurations): Promise<void> {
  const wanted = <T>(now: unknown, one: T, other: T): T =>
    JSON.stringify(now).includes(JSON.stringify(one).slice(1, -1)) ? other : one;
  const { interfaces } = network as { interfaces: object[] };
  const [first, ...others] = interfaces;
  const addresses = ['dhcp4', wanted(network, '10.77.0.1/24', '10.77.0.2/24')];
  await rest.succeed('PUT', '/os/1.0/system/network', {
    json: { config: { ...(network as object), interfaces: [{ ...first, addresses }, ...others] } },
  });
  const check_frequency = wanted(update, '3h', '4h');
  await rest.succeed('PUT', '/os/1.0/system/update', {
    json: { config: { auto_reboot: true, channel: 'testing', check_frequency } },
  });
  const address = wanted(logging, '192.0.2.9:514', '192.0.2.8:514');
  await rest.succeed('PUT', '/os/1.0/system/logging', {
    json: { config: { syslog: { address, protocol: 'tcp', log_format: 'rfc5424' } } },
  });
  const { persistent_hugepages } = wanted(kernel, { persistent_hugepages: 3 }, { persistent_hugepages: 4 });
  await rest.succeed('PUT', '/os/1.0/system/kernel', {
    json: { config: { memory: { persistent_hugepages, zram_swap_size: '' } } },
  });
  const scrub_schedule = wanted(schedule, '30 5 * * 2', '30 5 * * 3');
  await rest.succeed('PUT', '/os/1.0/system/storage', { json: { config: { scrub_schedule } } });
}

describe('a backup', () => {
  it('brings the earlier configuration back in every service', async () => {
    const earlier = await configurations();
    const { status, headers, body } = await rest.send('POST', '/os/1.0/system/:backup');
    expect([status, headers['content-type']]).toEqual([200, 'application/gzip']);
    await changeEverything(earlier);
    const changed = await configurations();
    for (const key of Object.keys(earlier) as (keyof Configurations)[])
      expect(changed[key]).not.toEqual(earlier[key]);

    for (const length of [0, 20, Math.floor(body.length / 2), body.length - 9]) {
      const cut = await rest.envelope('POST', '/os/1.0/system/:restore', { raw: body.subarray(0, length) });
      expect(cut.http).toBeGreaterThanOrEqual(400);
      expect(cut.http).toBeLessThan(500);
    }
    const altered = Buffer.from(body);
    altered[Math.floor(body.length / 2)] = (altered[Math.floor(body.length / 2)] ?? 0) ^ 0xff;
    expect((await rest.envelope('POST', '/os/1.0/system/:restore', { raw: altered })).http).toBe(400);
    expect(await configurations()).toEqual(changed);

    await throughReboot(rest, () => rest.succeed('POST', '/os/1.0/system/:restore', { raw: body }));
    expect(await configurations()).toEqual(earlier);
  });
});
