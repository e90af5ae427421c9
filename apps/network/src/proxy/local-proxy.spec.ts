import { switchOff, switchOn } from '@incusos/host-emulated';
import { parseSettings } from '@incusos/proxy-settings';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, NetworkAppliance } from '../testing/network-appliance.ts';

const interfaces = [{ name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4'] }];
const corp = {
  host: 'http://proxy.test:8080',
  auth: 'basic',
  username: 'machine',
  password: 's3cret',
  use_tls: false,
};
const settingsFile = '/run/incus-os/proxy.json';
const environmentFile = '/etc/environment';

describe('the proxy in the network configuration', { timeout: 180_000 }, () => {
  let appliance: NetworkAppliance;
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterEach(() => appliance.remove());

  const unit = () => appliance.machine.read().system.units['local-proxy.service'];

  it('is run with its settings, used by programs, and gone without one', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    expect(parseSettings((await appliance.file(settingsFile)) ?? '')).toEqual({
      servers: {
        corp: {
          host: 'proxy.test',
          port: 8080,
          tls: false,
          authentication: { type: 'basic', username: 'machine', password: 's3cret' },
        },
      },
      rules: [{ destination: '*', target: 'corp' }],
    });
    expect((await appliance.machine.files.stat(settingsFile))?.mode).toBe(0o600);
    expect(await appliance.file(environmentFile)).toBe(
      'http_proxy=http://localhost:3128\nhttps_proxy=http://localhost:3128\nno_proxy=localhost,127.0.0.1,::1\n',
    );
    expect(unit()).toMatchObject({ active: 'active' });
    expect((await appliance.network()).config?.proxy?.rules).toEqual([{ destination: '*', target: 'corp' }]);

    await appliance.set({ interfaces });
    expect(await appliance.file(settingsFile)).toBeUndefined();
    expect(await appliance.file(environmentFile)).toBeUndefined();
    expect(unit()).toMatchObject({ active: 'inactive' });
  });

  it('is restarted when its settings change, and only then', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    const first = unit();
    await appliance.set({
      interfaces,
      proxy: { servers: { corp } },
      dns: { hostname: 'a' },
    });
    expect(unit()).toEqual(first);
    await appliance.set({ interfaces, proxy: { servers: { corp: { ...corp, password: 'other' } } } });
    expect(unit()?.pid).not.toBe(first?.pid);
    expect(await appliance.file(settingsFile)).toContain('"other"');
  });

  it('is started again with the machine', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    await appliance.stop();
    await switchOff(appliance.machine);
    await switchOn(appliance.machine);
    await appliance.start();
    await appliance.settled();
    expect(unit()).toMatchObject({ active: 'active' });
  });

  it('gets new settings after a crash before it could read them', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    const before = unit();
    await appliance.stop();
    await appliance.machine.files.writeAtomic('/run/incus-os/proxy.unread', '');
    await appliance.start();
    await appliance.settled();
    expect(unit()?.pid).not.toBe(before?.pid);
    expect(await appliance.file('/run/incus-os/proxy.unread')).toBeUndefined();
  });

  it('changes nothing when it is wrong', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    const [before, settings] = [unit(), await appliance.file(settingsFile)];
    await expect(
      appliance.set({
        interfaces,
        proxy: { servers: { none: corp }, rules: [{ destination: '*', target: 'x' }] },
      }),
    ).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: "cannot use reserved keyword 'none' for proxy definition",
      fields: [
        {
          field: 'config.proxy.servers.none',
          reason: "cannot use reserved keyword 'none' for proxy definition",
        },
        { field: 'config.proxy.rules[0].target', reason: 'no proxy defined for target x' },
      ],
    });
    expect(unit()).toEqual(before);
    expect(await appliance.file(settingsFile)).toBe(settings);
  });

  it('is as it was after a change that did not come up', async () => {
    await appliance.set({ interfaces, proxy: { servers: { corp } } });
    const settings = await appliance.file(settingsFile);
    await appliance.command('nic link', 'enp5s0', 'down');
    await expect(
      appliance.set({
        interfaces: [{ name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4'], mtu: 1400 }],
      }),
    ).rejects.toThrow();
    expect(await appliance.file(settingsFile)).toBe(settings);
    expect(unit()).toMatchObject({ active: 'active' });
    expect(await appliance.file(environmentFile)).toContain('localhost:3128');
  });
});
