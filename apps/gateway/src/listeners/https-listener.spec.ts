import { connect as connectPlain } from 'node:net';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { SystemServiceService } from '@incusos/contracts/system';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Client, newClient, TestGateway, until } from '../testing/test-gateway.ts';

describe('HTTPS', () => {
  let test: TestGateway;
  let friend: Client;
  let stranger: Client;

  beforeAll(async () => {
    [test, friend, stranger] = await Promise.all([TestGateway.start(), newClient(), newClient()]);
    test.services.on('system', SystemServiceService, 'getEnvironment', () => ({
      environment: {
        hostname: 'server1',
        machine_id: 'm',
        os_name: 'IncusOS',
        os_version: '202611200000',
        os_version_next: '',
        system_is_ready: true,
        uptime: 7,
      },
    }));
    test.services.trust(friend.fingerprint);
    await until(async () => (await test.ask('/os', { as: friend })).status === 200);
  });

  afterAll(async () => {
    await test.stop();
  });

  it.each(['/', '/1.0', '/os/1.0', '/os/1.0/system/network', '/internal/secureboot', '/nothing'])(
    'refuses %s to a stranger and to who shows no certificate',
    async (path) => {
      for (const as of [stranger, 'nobody'] as const) {
        const reply = await test.ask(path, { as });
        expect(reply.status).toBe(403);
        expect(reply.headers['content-type']).toMatch(/^text\/plain/);
        expect(reply.text.trim()).toBe('Forbidden');
      }
    },
  );

  it('shows the API below /os, with URLs that begin there', async () => {
    expect((await test.ask('/os/1.0/system', { as: friend })).json().metadata).toContain(
      '/os/1.0/system/network',
    );
    expect((await test.ask('/os', { as: friend })).json().metadata).toEqual(['/os/1.0']);
    expect((await test.ask('/os/1.0', { as: friend })).json().metadata).toMatchObject({
      environment: { hostname: 'server1', uptime: 7 },
    });
  });

  it('shows the API without /os too, as the fallback listener does', async () => {
    const reply = await test.ask('/1.0/system', { as: friend });
    expect(reply.json().metadata).toContain('/os/1.0/system/network');
  });

  it('describes itself as the official client asks an Incus server to, and is nothing else of Incus', async () => {
    expect((await test.ask('/', { as: friend })).json().metadata).toEqual(['/1.0']);
    const server = (await test.ask('/1.0', { as: friend })).json().metadata;
    expect(server).toMatchObject({
      api_extensions: [],
      api_status: 'stable',
      api_version: '1.0',
      auth: 'trusted',
      auth_methods: ['tls'],
      public: false,
      config: {},
      environment: { server_name: 'server1', os_name: 'IncusOS' },
    });
    expect((await test.ask('/1.0/instances', { as: friend })).status).toBe(404);
    expect((await test.post('/1.0/instances', {}, { as: friend })).status).toBe(501);
  });

  it('describes itself while the system service is away', async () => {
    test.services.kill('system');
    expect((await test.ask('/1.0', { as: friend })).json().metadata).toMatchObject({ api_version: '1.0' });
    expect((await test.ask('/os/1.0', { as: friend })).status).toBe(503);
    await test.services.start('system');
  });

  it('never lets a remote caller pass for a local one', async () => {
    for (const path of ['/internal/secureboot', '/os/internal/secureboot']) {
      const reply = await test.ask(path, { as: friend, headers: { 'x-incusos-proxy': '' } });
      expect(reply.json()).toMatchObject({ error_code: 403, error: 'not authorized' });
    }
    expect((await test.ask('/internal/secureboot')).status).toBe(200);
    expect((await test.ask('/internal/secureboot', { headers: { 'x-incusos-proxy': '/' } })).status).toBe(
      403,
    );
    expect((await test.ask('/internal/secureboot', { headers: { 'x-incusos-proxy': '/os' } })).status).toBe(
      403,
    );
  });

  it('does nothing that another member of a cluster is asked for', async () => {
    const reply = await test.post('/os/1.0/system/:reboot?target=server2', {}, { as: friend });
    expect(reply.json()).toMatchObject({
      error_code: 404,
      error: "no cluster member called 'server2': this server isn't part of a cluster",
    });
    expect((await test.ask('/os?target=', { as: friend })).status).toBe(200);
    expect((await test.ask('/?target=server2')).status).toBe(200);
  });

  it('does not take a path that only begins like its prefix for its own', async () => {
    expect((await test.ask('/ost/1.0', { as: friend })).status).toBe(404);
    expect((await test.ask('/os1.0', { as: friend })).status).toBe(404);
  });

  it('refuses a client at once when it is no longer trusted, also on an open connection', async () => {
    test.services.trust(friend.fingerprint, stranger.fingerprint);
    await until(async () => (await test.ask('/os', { as: stranger })).status === 200);
    const socket = await open(test.tls(stranger));
    expect(await ask(socket)).toMatch(/^HTTP\/1\.1 200/);
    test.services.trust(friend.fingerprint);
    await until(async () => (await test.ask('/os', { as: stranger })).status === 403);
    expect(await ask(socket)).toMatch(/^HTTP\/1\.1 403/);
    socket.destroy();
  });

  it('keeps to the last known list while the security service is away, and asks again when it is back', async () => {
    test.services.kill('security');
    expect((await test.ask('/os/1.0/system', { as: friend })).status).toBe(200);
    expect((await test.ask('/os/1.0/system', { as: stranger })).status).toBe(403);
    test.services.trust(friend.fingerprint, stranger.fingerprint);
    await test.services.start('security');
    await until(async () => (await test.ask('/os/1.0/system', { as: stranger })).status === 200);
    test.services.trust(friend.fingerprint);
    await until(async () => (await test.ask('/os/1.0/system', { as: stranger })).status === 403);
  });

  it('recognises a client whose TLS session is resumed', async () => {
    const first = await open(test.tls(friend));
    const session = new Promise<Buffer>((resolve) => first.once('session', resolve));
    expect(await ask(first)).toMatch(/^HTTP\/1\.1 200/);
    const resumed = await open({ ...test.tls(friend), session: await session });
    expect(resumed.isSessionReused()).toBe(true);
    expect(await ask(resumed)).toMatch(/^HTTP\/1\.1 200/);
    first.destroy();
    resumed.destroy();
  });

  it('speaks TLS 1.3 only', async () => {
    await expect(open({ ...test.tls(friend), maxVersion: 'TLSv1.2' })).rejects.toThrow();
    const socket = await open({ ...test.tls(friend), ALPNProtocols: ['h2', 'http/1.1'] });
    expect(socket.getProtocol()).toBe('TLSv1.3');
    expect(socket.alpnProtocol).toBe('http/1.1');
    socket.destroy();
  });

  it.each(['GET /1.0 HTTP/1.1\r\nHost: x\r\n\r\n', 'x', '\r\n\r\n'])(
    'answers plain text %j with 426',
    async (text) => {
      const answer = await new Promise<string>((resolve, reject) => {
        let received = '';
        const socket = connectPlain({ host: '127.0.0.1', port: test.gateway.port }, () => socket.write(text));
        socket.setEncoding('utf8');
        socket.on('data', (chunk: string) => (received += chunk));
        socket.on('error', reject);
        socket.on('end', () => resolve(received));
      });
      expect(answer).toMatch(/^HTTP\/1\.1 426 Upgrade Required\r\n/);
      expect(answer).toMatch(/Upgrade Required\n$/);
    },
  );
});

function open(options: ConnectionOptions): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connectTls(options, () => resolve(socket));
    socket.once('error', reject);
  });
}

/** Asks for a list on an open connection. */
function ask(socket: TLSSocket): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = '';
    const onData = (chunk: Buffer): void => {
      received += chunk.toString();
      if (!/\]\}\s*$|Forbidden/.test(received)) return;
      socket.removeListener('data', onData);
      resolve(received);
    };
    socket.on('data', onData);
    socket.once('error', reject);
    socket.write('GET /os HTTP/1.1\r\nHost: x\r\n\r\n');
  });
}
