import { afterAll, describe, expect, it } from 'vitest';
import { itsMachine, machine, throughReboot, trustedClient } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

describe('the system', () => {
  it('says who it is and that it is ready', async () => {
    const { environment } = await rest.get<{ environment: Record<string, unknown> }>('/os/1.0');
    expect(environment).toMatchObject({ os_name: 'IncusOS', system_is_ready: true });
    expect(environment['machine_id']).toMatch(/^[0-9a-f]{32}$/u);
    expect(environment['os_version']).toMatch(/^\d{12}$/u);
    expect(environment['hostname']).not.toBe('');
    expect(Number.isInteger(environment['uptime'])).toBe(true);
  });

  it('lists its parts as URLs', async () => {
    expect(await rest.get('/os/1.0/system')).toEqual(
      ['kernel', 'logging', 'network', 'provider', 'resources', 'security', 'storage', 'update'].map(
        (part) => `/os/1.0/system/${part}`,
      ),
    );
  });

  it('shows what it is made of', async () => {
    const resources = await rest.get<{
      cpu: { total: number; sockets: unknown[] };
      memory: { total: number };
      storage: { disks: { id: string; size: number }[] };
      network: { cards: { ports?: { id: string }[] }[] };
      system: { uuid: string };
      load: { Average1Min: number };
    }>('/os/1.0/system/resources');
    expect(resources.cpu.total).toBeGreaterThan(0);
    expect(resources.memory.total).toBeGreaterThan(1024 ** 3);
    expect(resources.storage.disks.some(({ size }) => size === 50 * 1024 ** 3)).toBe(true);
    expect(resources.network.cards.length).toBeGreaterThan(0);
    expect(resources.load).toHaveProperty('Average1Min');
  });

  it('keeps kernel settings, and refuses those that the kernel would', async () => {
    const kernel = '/os/1.0/system/kernel';
    const before = await rest.get<{ config: object }>(kernel);
    await rest.succeed('PUT', kernel, {
      json: { config: { network: { tcp_congestion_algorithm: 'cubic', tcp_mtu_probing: true } } },
    });
    expect((await rest.get<{ config: object }>(kernel)).config).toEqual({
      network: { tcp_congestion_algorithm: 'cubic', tcp_mtu_probing: true },
    });
    const bad = await rest.envelope('PUT', kernel, {
      json: { config: { network: { tcp_congestion_algorithm: 'carrier-pigeon' } } },
    });
    expect([bad.http, bad.error]).toEqual([
      400,
      expect.stringContaining('unsupported tcp_congestion_control value, must be one of ['),
    ]);
    const negative = await rest.envelope('PUT', kernel, {
      json: { config: { memory: { persistent_hugepages: -1 } } },
    });
    expect([negative.http, negative.error]).toEqual([
      400,
      expect.stringContaining('persistent hugepages count cannot be negative'),
    ]);
    await rest.succeed('PUT', kernel, { json: { config: before.config } });
  });

  it('keeps where its log is sent', async () => {
    const logging = '/os/1.0/system/logging';
    const syslog = { address: '192.0.2.1:514', protocol: 'udp', log_format: 'rfc5424' };
    await rest.succeed('PUT', logging, { json: { config: { syslog } } });
    expect(await rest.get<{ config: { syslog: object } }>(logging)).toMatchObject({ config: { syslog } });
    await rest.succeed('PUT', logging, {
      json: { config: { syslog: { address: '', protocol: '', log_format: '' } } },
    });
  });

  it('lists the services it can run, and answers 501 for what is not built', async () => {
    const services = await rest.get<string[]>('/os/1.0/services');
    for (const name of ['iscsi', 'lvm', 'multipath', 'netbird', 'nvme', 'ovn', 'tailscale', 'usbip']) {
      expect(services).toContain(`/os/1.0/services/${name}`);
      expect(await rest.get(`/os/1.0/services/${name}`)).toHaveProperty('config');
    }
    const unknown = await rest.envelope('GET', '/os/1.0/services/no-such-service');
    expect(unknown.http).toBe(404);
  });
});

describe('debugging', () => {
  it('shows the log of our own services as raw journal entries', async () => {
    const entries = await rest.get<Record<string, unknown>[]>(
      '/os/1.0/debug/log?unit=incus-osd.service&boot=0&entries=100',
    );
    expect(entries.length).toBeGreaterThan(0);
    expect(entries.length).toBeLessThanOrEqual(100);
    for (const entry of entries) {
      expect(entry).toMatchObject({ MESSAGE: expect.any(String), __REALTIME_TIMESTAMP: expect.any(String) });
    }
    expect(entries.some((entry) => entry['SYSLOG_IDENTIFIER'] === 'incus-osd')).toBe(true);
  });

  it('takes no option for the journal’s reader in place of a value', async () => {
    const { http } = await rest.envelope(
      'GET',
      `/os/1.0/debug/log?unit=${encodeURIComponent('--file=/etc/shadow')}`,
    );
    expect(http).toBe(400);
  });

  it('shows the processes as text', async () => {
    const processes = await rest.get<string>('/os/1.0/debug/processes');
    expect(processes).toContain('PID');
    expect(processes.split('\n').length).toBeGreaterThan(5);
  });

  it('shows the kernel and its modules', async () => {
    const kernel = await rest.get<{ version: string; architecture: string; modules: { name: string }[] }>(
      '/os/1.0/debug/kernel',
    );
    expect(kernel.version).not.toBe('');
    expect(kernel.modules.map(({ name }) => name)).toContain('zfs');
  });
});

describe('applications', () => {
  itsMachine('lists what is installed, with the primary one', async () => {
    const names = (await machine.list('/var/lib/extensions'))
      .filter((name) => name.endsWith('.raw'))
      .map((name) => name.slice(0, -'.raw'.length));
    const installed = await rest.get<string[]>('/os/1.0/applications');
    expect(installed.toSorted()).toEqual(names.map((name) => `/os/1.0/applications/${name}`));
    for (const path of installed) {
      const { state } = await rest.get<{ state: { is_primary: boolean; version: string } }>(path);
      expect(state.version).toMatch(/^\d{12}$/u);
      expect(state.is_primary).toBe(path.endsWith('/incus'));
    }
  });

  it('are not found when nobody installed them', async () => {
    const { http, error } = await rest.envelope('GET', '/os/1.0/applications/openfga');
    expect([http, error]).toEqual([404, expect.any(String)]);
  });

  it('refuses an unknown application and a second primary one with the contract’s texts', async () => {
    const unnamed = await rest.envelope('POST', '/os/1.0/applications', { json: {} });
    expect([unnamed.http, unnamed.error]).toEqual([400, 'missing application name']);
    const unknown = await rest.envelope('POST', '/os/1.0/applications', { json: { name: 'solitaire' } });
    expect([unknown.http, unknown.error]).toEqual([400, "unknown application 'solitaire'"]);
    const installed = await rest.get<string[]>('/os/1.0/applications');
    const isThere = installed.includes('/os/1.0/applications/incus');
    // A machine without any could take one, if installing were built.
    const again = await rest.envelope('POST', '/os/1.0/applications', { json: { name: 'incus' } });
    expect(again.http).toBe(isThere ? 409 : 501);
    const second = await rest.envelope('POST', '/os/1.0/applications', {
      json: { name: 'operations-center' },
    });
    expect([second.http, second.error]).toEqual(
      isThere ? [400, 'a primary application is already installed'] : [501, expect.any(String)],
    );
    expect(await rest.get<string[]>('/os/1.0/applications')).toEqual(installed);
  });
});

describe('a reboot', () => {
  it('is answered first, then done; the machine comes back with its configuration', async () => {
    const before = await rest.get<{ config: object }>('/os/1.0/system/network');
    await throughReboot(rest, async () => {
      expect(await rest.succeed('POST', '/os/1.0/system/:reboot')).toEqual({});
    });
    expect((await rest.get<{ config: object }>('/os/1.0/system/network')).config).toEqual(before.config);
  });
});
