import { setTimeout as sleep } from 'node:timers/promises';
import type { Host } from '@incusos/host';
import { switchOn } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';

const good = {
  interfaces: [
    {
      name: 'enp5s0',
      hwaddr: enp5s0,
      addresses: ['192.0.2.10/24'],
      routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
    },
  ],
  dns: { hostname: '', domain: '', nameservers: ['192.0.2.1'] },
};
const wrongGateway = {
  ...good,
  interfaces: [
    {
      ...good.interfaces[0],
      addresses: ['198.51.100.10/24'],
      routes: [{ to: '0.0.0.0/0', via: '198.51.100.1' }],
    },
  ],
  dns: { hostname: '', domain: '', nameservers: ['198.51.100.53'] },
};
const pendingFile = '/var/lib/incus-os/network/pending.json';

describe('a change of the network', () => {
  let appliance: NetworkAppliance;
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterEach(() => appliance.remove());

  const addresses = async (): Promise<string[]> => (await appliance.interfaceState('enp5s0')).addresses;
  const isDefault = async (): Promise<boolean> => {
    const config = (await appliance.network()).config?.interfaces[0]?.addresses;
    return config?.includes('dhcp4') === true && !(await addresses()).includes('192.0.2.10');
  };

  it('that is confirmed in time stays', async () => {
    await appliance.set({ ...good, confirmation_timeout: '30s' });
    expect((await appliance.network()).config?.confirmation_timeout).toBeUndefined();
    expect(await appliance.file(pendingFile)).toContain('"unconfirmed"');
    await appliance.client.confirmConfig({});
    expect(await appliance.file(pendingFile)).toBeUndefined();
    expect(await addresses()).toEqual(['192.0.2.10']);
    await expect(appliance.client.confirmConfig({})).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'no network configuration is pending a confirmation',
    });
  });

  it('that nobody confirms is taken back by itself', async () => {
    await appliance.set({ ...good, confirmation_timeout: '4s' });
    expect(await addresses()).toEqual(['192.0.2.10']);
    await eventually(isDefault);
    await appliance.settled();
    expect(await appliance.file(pendingFile)).toBeUndefined();
    expect((await appliance.network()).state?.last_change).toMatchObject({
      outcome: 'rolled-back',
      reason: 'it was not confirmed within 4 s',
    });
  });

  it('says until when it can be confirmed, and that it was', async () => {
    expect((await appliance.network()).state?.last_change).toBeUndefined();
    await appliance.set({ ...good, confirmation_timeout: '1h' });
    const unconfirmed = (await appliance.network()).state?.last_change;
    expect(unconfirmed?.outcome).toBe('unconfirmed');
    const left = Date.parse(unconfirmed?.deadline ?? '') - Date.now();
    expect(left).toBeGreaterThan(0);
    expect(left).toBeLessThanOrEqual(3_600_000);
    await appliance.client.confirmConfig({});
    const applied = (await appliance.network()).state?.last_change;
    expect([applied?.outcome, applied?.deadline, applied?.reason]).toEqual(['applied', undefined, undefined]);
    await appliance.stop();
    await appliance.start();
    expect((await appliance.network()).state?.last_change).toEqual(applied);
  });

  it.each([-30, -10, 0, 10])(
    'is kept or taken back, whole, when it is confirmed %i ms after its time',
    async (late) => {
      const timeoutMs = 2_000;
      const began = performance.now();
      await appliance.set({ ...good, confirmation_timeout: `${timeoutMs}ms` });
      await sleep(Math.max(0, Math.round(began + timeoutMs + late - performance.now())));
      const confirmed = await appliance.client.confirmConfig({}).then(
        () => true,
        () => false,
      );
      await eventually(async () => (await appliance.file(pendingFile)) === undefined);
      await appliance.settled();
      const { config, state } = await appliance.network();
      expect(config?.interfaces[0]?.addresses.includes('192.0.2.10/24')).toBe(confirmed);
      expect(state?.last_change?.outcome).toBe(confirmed ? 'applied' : 'rolled-back');
      const file = await appliance.file('/run/systemd/network/20-_venp5s0.network');
      expect(file?.includes('192.0.2.10')).toBe(confirmed);
    },
  );

  it('keeps its deadline when the time of day is set meanwhile', async () => {
    const uptime = performance.now();
    const withOwnClock = (host: Host): Host => ({
      ...host,
      files: Object.assign(Object.create(host.files) as Host['files'], {
        readText: (path: string): Promise<string> =>
          path === '/proc/uptime'
            ? Promise.resolve(`${((performance.now() - uptime) / 1000 + 100).toFixed(2)} 0\n`)
            : host.files.readText(path),
      }),
    });
    await appliance.stop();
    await appliance.start(withOwnClock);
    await appliance.set({ ...good, confirmation_timeout: '10m' });
    await appliance.stop();
    const real = Date.now;
    for (const jump of [86_400_000, -86_400_000]) {
      vi.spyOn(Date, 'now').mockImplementation(() => real() + jump);
      await appliance.start(withOwnClock);
      await appliance.settled();
      expect(await appliance.file(pendingFile), `${jump} ms`).toContain('"unconfirmed"');
      await appliance.stop();
      vi.restoreAllMocks();
    }
    await appliance.start(withOwnClock);
    await appliance.client.confirmConfig({});
    expect((await appliance.network()).config?.interfaces[0]?.addresses).toEqual(['192.0.2.10/24']);
  });

  it('uses the default timeout where it gives none', async () => {
    await appliance.set({ ...good, default_confirmation_timeout: '4s' });
    await eventually(isDefault);
  });

  it('is refused while another one awaits its confirmation', async () => {
    await appliance.set({ ...good, confirmation_timeout: '30s' });
    await expect(appliance.set(good)).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message:
        'a pending network configuration must first be confirmed before a new configuration can be applied',
    });
    await appliance.client.confirmConfig({});
    await appliance.set(good);
  });

  it('that does not come up is taken back, although nobody asked for a confirmation', async () => {
    await appliance.command('nic link', 'enp5s0', 'down');
    const before = await appliance.file('/run/systemd/network/20-_venp5s0.network');
    const failing = appliance.set(wrongGateway);
    await expect(failing).rejects.toMatchObject({
      reason: 'OPERATION_FAILED',
      message: expect.stringContaining('no name server answered') as string,
    });
    expect(await appliance.file('/run/systemd/network/20-_venp5s0.network')).toBe(before);
    expect(await isDefault()).toBe(true);
    expect(await appliance.file(pendingFile)).toBeUndefined();
    expect((await appliance.network()).state?.last_change).toMatchObject({
      outcome: 'rolled-back',
      reason: 'timed out waiting for DNS: no name server answered',
    });
  });

  it('that leaves a required device without an address names it and is taken back', async () => {
    await appliance.command('nic link', 'enp5s0', 'down');
    const failing = appliance.set({
      interfaces: [{ name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4'] }],
      confirmation_timeout: '2s',
    });
    await expect(failing).rejects.toMatchObject({
      reason: 'OPERATION_FAILED',
      message:
        'timed out waiting for the network to come online: enp5s0 has no usable address; the previous configuration is in force again',
    });
    expect((await appliance.network()).config?.interfaces[0]?.addresses).toEqual(['dhcp4', 'slaac']);
    expect((await appliance.network()).config?.interfaces[0]?.required_for_online).toBe('no');
  });

  it('is refused while another one is being applied, and the first one wins', async () => {
    const first = appliance.set(good);
    const second = appliance.set({
      ...good,
      interfaces: [{ ...good.interfaces[0], addresses: ['192.0.2.20/24'] }],
    });
    const results = await Promise.allSettled([first, second]);
    expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    expect(results.find(({ status }) => status === 'rejected')).toMatchObject({
      reason: { reason: 'CONFLICT' },
    });
    expect(await addresses()).toHaveLength(1);
  });

  it('that is pending goes on awaiting its confirmation after the service was restarted', async () => {
    await appliance.set({ ...good, confirmation_timeout: '60s' });
    await appliance.stop();
    await appliance.start();
    expect(await addresses()).toEqual(['192.0.2.10']);
    await appliance.client.confirmConfig({});
    await appliance.stop();
    await appliance.start();
    await appliance.settled();
    expect(await addresses()).toEqual(['192.0.2.10']);
  });

  it('whose deadline passed while the service was down is taken back when it starts', async () => {
    await appliance.set({ ...good, confirmation_timeout: '4s' });
    await appliance.stop();
    await sleep(4_000);
    await appliance.start();
    await eventually(isDefault);
  });

  it('that is pending is taken back by a reboot', async () => {
    await appliance.set({ ...good, confirmation_timeout: '10m' });
    await appliance.stop();
    await switchOn(appliance.machine);
    await appliance.start();
    await eventually(isDefault);
    await eventually(async () => (await appliance.file(pendingFile)) === undefined);
    expect((await appliance.network()).state?.last_change).toMatchObject({
      outcome: 'rolled-back',
      reason: 'the machine was restarted before it was confirmed',
    });
  });

  it('that was interrupted in the middle is taken back when the service starts', async () => {
    await appliance.set({ ...good, confirmation_timeout: '10m' });
    const record = (await appliance.file(pendingFile)) ?? '';
    await appliance.stop();
    await appliance.machine.files.writeAtomic(pendingFile, record.replace('"unconfirmed"', '"applying"'));
    await appliance.start();
    await eventually(isDefault);
  });

  it('is taken back also where the files of the way back were written and not read yet', async () => {
    const directory = '/run/systemd/network';
    const before = await Promise.all(
      (await appliance.machine.files.list(directory)).map(
        async (name) => [name, (await appliance.file(`${directory}/${name}`)) ?? ''] as const,
      ),
    );
    await appliance.set({ ...good, confirmation_timeout: '4s' });
    await appliance.stop();
    await sleep(4_000);
    await appliance.machine.files.writeAtomic('/run/incus-os/network.unread', '');
    for (const [name, content] of before)
      await appliance.machine.files.writeAtomic(`${directory}/${name}`, content);
    await appliance.start();
    await eventually(isDefault);
  });

  it('changes nothing when the disk is full', async () => {
    const before = await appliance.network();
    await appliance.machine.change(({ faults }) => {
      faults.full_directories = ['/var/lib/incus-os/network'];
    });
    await expect(appliance.set(good)).rejects.toMatchObject({ reason: 'NO_SPACE' });
    await appliance.machine.change(({ faults }) => {
      faults.full_directories = [];
    });
    expect((await appliance.network()).config).toEqual(before.config);
  });

  it('is refused while the state file is, and the network goes on as it is', async () => {
    await appliance.set(good);
    await appliance.stop();
    const path = '/var/lib/incus-os/network/state.json';
    await appliance.machine.files.writeAtomic(path, ((await appliance.file(path)) ?? '').slice(0, 40));
    await appliance.start();
    await appliance.settled();
    await expect(appliance.set(good)).rejects.toMatchObject({
      reason: 'UNAVAILABLE',
      message: expect.stringContaining('state.json') as string,
    });
    expect((await appliance.network()).config).toBeDefined();
  });

  it('leaves other devices alone', async () => {
    await appliance.command('nic add', 'enp6s0');
    const second = { name: 'storage', hwaddr: 'enp6s0', addresses: ['dhcp4'], required_for_online: 'no' };
    await appliance.set({ ...good, interfaces: [...good.interfaces, second] });
    const links = (): unknown[] =>
      appliance.machine.read().network.links.filter(({ name }) => name.endsWith('storage'));
    const before = links();
    await appliance.set({
      ...good,
      interfaces: [{ ...good.interfaces[0], addresses: ['192.0.2.30/24'] }, second],
    });
    expect(links()).toEqual(before);
    expect(await addresses()).toEqual(['192.0.2.30']);
    await appliance.set(good);
    await eventually(
      async () => (await appliance.network()).state?.interfaces['enp6s0']?.type === 'physical',
    );
    expect((await appliance.network()).state?.interfaces['storage']).toBeUndefined();
  });
});
