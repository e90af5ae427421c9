import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { request as httpRequest } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AddonHostService } from '@incusos/contracts/addons';
import { NetworkServiceService, SystemNetwork } from '@incusos/contracts/network';
import { DebugServiceService } from '@incusos/contracts/system';
import { DomainError } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { TestGateway, until } from './testing/test-gateway.ts';
import { startGateway } from './start.ts';

const network = '/1.0/system/network';

describe('gateway', () => {
  let test: TestGateway;
  let stopped: boolean;

  beforeEach(async () => {
    stopped = false;
    test = await TestGateway.start();
  });

  afterEach(async () => {
    if (!stopped) await test.stop();
  });

  it('shows what a service says in the structure of the API', async () => {
    test.services.on('network', NetworkServiceService, 'getNetwork', () => ({
      network: SystemNetwork.create({
        config: { interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0', addresses: ['dhcp4'] }] },
      }),
    }));
    const reply = await test.ask(network);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.json().metadata).toMatchObject({
      config: { interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0', addresses: ['dhcp4'] }] },
    });
  });

  it('answers 503 for a service that is killed while it is asked, and recovers by itself', async () => {
    test.services.on('network', NetworkServiceService, 'getNetwork', () => new Promise(() => undefined));
    const reply = test.ask(network);
    await until(() => test.services.seen.some(({ call }) => call.endsWith('GetNetwork')));
    test.services.kill('network');
    expect((await reply).json()).toMatchObject({
      error_code: 503,
      error: 'the network service is not available right now, try again',
    });
    expect((await test.ask(network)).status).toBe(503);
    expect((await test.ask('/1.0/system/storage')).status).toBe(200);
    test.services.on('network', NetworkServiceService, 'getNetwork', () => ({ network: undefined }));
    await test.services.start('network');
    await until(async () => (await test.ask(network)).status === 200);
  });

  it('answers 503 for a service that is killed in the middle of a change', async () => {
    test.services.on('network', NetworkServiceService, 'setConfig', () => new Promise(() => undefined));
    const reply = test.put(network, { config: { interfaces: [{ name: 'a', hwaddr: 'a' }] } });
    await until(() => test.services.seen.some(({ call }) => call.endsWith('SetConfig')));
    test.services.kill('network');
    expect((await reply).json()).toMatchObject({
      error_code: 503,
      error: 'the network service is not available right now, try again',
    });
  });

  it('answers 501 for what a service does not do yet', async () => {
    test.services.on('network', NetworkServiceService, 'flushDns', () => {
      throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
    });
    expect((await test.post(`${network}/:flush-dns`)).json()).toMatchObject({
      error_code: 501,
      error: 'not implemented',
    });
  });

  it('gives a failure the status of its reason', async () => {
    test.services.on('network', NetworkServiceService, 'confirmConfig', () => {
      throw new DomainError('INVALID_REQUEST', 'no network configuration is pending a confirmation');
    });
    expect((await test.post(`${network}/:confirm`)).json()).toMatchObject({
      error_code: 400,
      error: 'no network configuration is pending a confirmation',
    });
  });

  it("carries a client's request id to the service and back, and makes one where it is missing or unfit", async () => {
    const given = await test.ask(network, { headers: { 'x-request-id': 'abc-1' } });
    expect(given.headers['x-request-id']).toBe('abc-1');
    expect(test.services.seen.at(-1)?.correlationId).toBe('abc-1');
    for (const unfit of ['', 'a b', 'x'.repeat(65)]) {
      const reply = await test.ask(network, { headers: { 'x-request-id': unfit } });
      expect(reply.headers['x-request-id']).toMatch(/^[0-9a-f-]{36}$/);
      expect(test.services.seen.at(-1)?.correlationId).toBe(reply.headers['x-request-id']);
    }
  });

  it('gives up a read when its client goes away, and brings a change to its end', async () => {
    const states = new Map<string, boolean>();
    const { promise: finish, resolve: end } = Promise.withResolvers<undefined>();
    test.services.on('network', NetworkServiceService, 'getNetwork', async (_request, call) => {
      call.signal.addEventListener('abort', () => states.set('read', true));
      await finish;
      return { network: undefined };
    });
    test.services.on('network', NetworkServiceService, 'flushDns', async (_request, call) => {
      await finish;
      states.set('change', call.signal.aborted);
      return {};
    });
    for (const [method, path] of [['GET', network] as const, ['POST', `${network}/:flush-dns`] as const]) {
      const request = httpRequest({ socketPath: test.gateway.socket, path, method });
      request.on('error', () => undefined);
      request.end();
      const before = test.services.seen.length;
      await until(() => test.services.seen.length > before);
      request.destroy();
    }
    await until(() => states.get('read') === true);
    end(undefined);
    await until(() => states.has('change'));
    expect(states.get('change')).toBe(false);
  });

  it('asks everyone who may own an add-on service, and tells which of them matter', async () => {
    test.services.on('network', AddonHostService, 'listAddons', () => ({ names: ['ovn', 'tailscale'] }));
    test.services.on('storage', AddonHostService, 'listAddons', () => ({ names: ['iscsi'] }));
    test.services.on('system', AddonHostService, 'listAddons', () => {
      throw new DomainError('NOT_IMPLEMENTED', 'not implemented');
    });
    test.services.on('storage', AddonHostService, 'getAddon', () => ({
      addon: { $case: 'iscsi', value: { state: { initiator_name: 'iqn.x' }, config: undefined } },
    }));
    const list = await test.ask('/1.0/services', { headers: { 'x-incusos-proxy': '/os' } });
    expect(list.json().metadata).toEqual([
      '/os/1.0/services/iscsi',
      '/os/1.0/services/ovn',
      '/os/1.0/services/tailscale',
    ]);
    expect((await test.ask('/1.0/services/iscsi')).json().metadata).toMatchObject({
      state: { initiator_name: 'iqn.x' },
    });
    const slash = await test.ask('/1.0/services', { headers: { 'x-incusos-proxy': '/' } });
    expect(slash.json().metadata).toContain('/1.0/services/iscsi');
    for (const name of ['ceph', 'nothing', 'constructor', '__proto__']) {
      expect((await test.ask(`/1.0/services/${name}`)).json()).toMatchObject({
        error_code: 404,
        error: 'not found',
      });
    }
    const wrong = await test.put('/1.0/services/iscsi', { config: { enabled: 'yes' } });
    expect(wrong.json()).toMatchObject({ error_code: 400, error: 'config.enabled: must be true or false' });
    test.services.kill('network');
    expect((await test.ask('/1.0/services/iscsi')).status).toBe(200);
    expect((await test.ask('/1.0/services/ovn')).status).toBe(503);
    expect((await test.ask('/1.0/services')).status).toBe(503);
  });

  it('reports its own numbers beside those of the services', async () => {
    test.services.on('system', DebugServiceService, 'getReport', ({ match }) => ({
      report: {
        media_type: 'application/json',
        timestamp: '2026-11-20T00:00:00Z',
        metrics: [{ name: match.join(), fields: {}, value: 1 }],
      },
    }));
    await test.ask('/1.0/nothing');
    const report = (await test.ask('/1.0/debug/report?match=http.&match=other')).json().metadata;
    expect(report).toMatchObject({
      metrics: [
        { name: 'http.,other', value: 1 },
        {
          name: 'http.requests_total',
          object: 'gateway',
          fields: { method: 'GET', status: '4xx' },
          value: 1,
        },
      ],
    });
    const all = (await test.ask('/1.0/debug/report')).json().metadata as {
      metrics: { name: string; value: number }[];
    };
    expect(all.metrics.find(({ name }) => name === 'process.resident_memory_bytes')?.value).toBeGreaterThan(
      1e6,
    );
  });

  it('finishes what is under way when it stops, and takes nothing more', async () => {
    const { promise: finish, resolve: end } = Promise.withResolvers<undefined>();
    test.services.on('network', NetworkServiceService, 'getNetwork', async () => {
      await finish;
      return { network: undefined };
    });
    const reply = test.ask(network);
    await until(() => test.services.seen.some(({ call }) => call.endsWith('GetNetwork')));
    const stop = test.stop();
    stopped = true;
    await until(() =>
      test.ask('/').then(
        () => false,
        () => true,
      ),
    );
    end(undefined);
    expect((await reply).status).toBe(200);
    await stop;
    await expect(stat(test.gateway.socket)).rejects.toThrow();
  });

  it('does not wait for ever for a client that keeps its connection when it stops', async () => {
    const request = httpRequest({
      socketPath: test.gateway.socket,
      path: '/1.0/system/:restore',
      method: 'POST',
      headers: { 'content-length': '10' },
    });
    request.on('error', () => undefined);
    request.write('12345');
    const closed = new Promise((resolve) => request.once('close', resolve));
    await until(() => test.services.seen.some(({ call }) => call.endsWith('Restore')));
    await test.stop();
    stopped = true;
    await closed;
  });

  it('refuses to start beside another gateway, which goes on undisturbed', async () => {
    await expect(
      startGateway({ port: 0, address: '127.0.0.1', directory: join(test.directory, 'other') }),
    ).rejects.toThrow(/another process already listens/);
    expect((await test.ask('/')).status).toBe(200);
  });

  it('says that its port is taken, and leaves nothing behind', async () => {
    process.env['INCUSOS_RUN_DIR'] = join(test.directory, 'r');
    const other = startGateway({
      port: test.gateway.port,
      address: '127.0.0.1',
      directory: join(test.directory, 'other'),
    });
    await expect(other).rejects.toThrow(`port ${test.gateway.port} is in use by another program`);
    await expect(stat(join(test.directory, 'r/unix.socket'))).rejects.toThrow();
  });

  it('leaves the socket to its owner and group, and keeps its key to itself', async () => {
    expect((await stat(test.gateway.socket)).mode & 0o777).toBe(0o660);
    expect((await stat(join(test.directory, 'gateway/server.key'))).mode & 0o777).toBe(0o600);
  });
});

describe('server certificate', () => {
  it('is kept over restarts, and made for the key that is there', async () => {
    const { serverIdentity } = await import('./room/server-certificate.ts');
    const directory = await mkdtemp(join(tmpdir(), 'gw-'));
    const first = await serverIdentity(directory);
    expect(await serverIdentity(directory)).toEqual(first);
    await rm(join(directory, 'server.crt'));
    const second = await serverIdentity(directory);
    expect(second.key).toBe(first.key);
    expect(await readFile(join(directory, 'server.crt'), 'utf8')).toBe(second.certificate);
    await rm(join(directory, 'server.key'));
    await expect(serverIdentity(directory)).rejects.toThrow(/server\.key/);
    await writeFile(join(directory, 'server.key'), first.key);
    expect(await serverIdentity(directory)).toEqual({ certificate: second.certificate, key: first.key });
    await rm(directory, { recursive: true });
  });
});
