import { rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { connect, createServer } from 'node:net';
import type { ProxyServer, ProxySettings } from '@incusos/proxy-settings';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { certificateFor } from './testing/certificates.ts';
import { askThrough, exchange, tunnelThrough } from './testing/clients.ts';
import { buildProxy, type ProxyOptions, ProxyProcess, serverAt } from './testing/proxy-process.ts';
import {
  type Running,
  startEcho,
  startOrigin,
  startUpstream,
  type UpstreamOptions,
  type UpstreamProxy,
} from './testing/servers.ts';

interface Echoed {
  readonly method: string;
  readonly url: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

const secret = 'pass:wörd%2F';
const basic: ProxyServer['authentication'] = { type: 'basic', username: 'machine', password: secret };
const rightHeader = `Basic ${Buffer.from(`machine:${secret}`).toString('base64')}`;

let programs: string;
let origin: Running;
let echo: Running;
const running: { stop(): Promise<void> }[] = [];

beforeAll(async () => {
  [programs, origin, echo] = await Promise.all([buildProxy(), startOrigin(), startEcho()]);
});

afterEach(async () => {
  for (const one of running.splice(0)) await one.stop();
});

afterAll(async () => {
  await Promise.all([origin.close(), echo.close(), rm(programs, { recursive: true, force: true })]);
});

async function proxyWith(settings: ProxySettings, options?: ProxyOptions): Promise<ProxyProcess> {
  const proxy = await ProxyProcess.start(programs, settings, options);
  running.push(proxy);
  return proxy;
}

async function upstreamWith(options?: UpstreamOptions): Promise<UpstreamProxy> {
  const upstream = await startUpstream(options);
  running.push({ stop: () => upstream.close() });
  return upstream;
}

const direct: ProxySettings = { servers: {}, rules: [{ destination: '*', target: 'direct' }] };

function through(server: ProxyServer): ProxySettings {
  return { servers: { corp: server }, rules: [{ destination: '*', target: 'corp' }] };
}

describe('the local proxy', () => {
  it('sends a request to the destination itself where a rule says direct', async () => {
    const proxy = await proxyWith(direct);
    const answer = await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/a/b?c=d`, {
      method: 'POST',
      body: 'content',
      headers: {
        'Proxy-Authorization': 'Basic c2VjcmV0',
        Connection: 'close, X-Private',
        'X-Private': '1',
        'X-Public': '2',
      },
    });
    expect(answer.status).toBe(200);
    expect(answer.headers['x-origin']).toBe('yes');
    const got = JSON.parse(answer.body) as Echoed;
    expect(got).toMatchObject({ method: 'POST', url: '/a/b?c=d', body: 'content' });
    expect(got.headers).toMatchObject({ 'x-public': '2', host: `127.0.0.1:${origin.port}` });
    expect(got.headers).not.toHaveProperty('proxy-authorization');
    expect(got.headers).not.toHaveProperty('x-private');
  });

  it('opens a tunnel in which either side may be done first', async () => {
    const proxy = await proxyWith(direct);
    const { socket } = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`, 'early ');
    if (socket === undefined) throw new Error('there is no tunnel');
    expect(await exchange(socket, 'late')).toBe('hello early late');
  });

  it('passes a body of unknown length on', async () => {
    const proxy = await proxyWith(direct);
    const answer = await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`, {
      method: 'DELETE',
      body: 'x'.repeat(100_000),
      headers: { 'Transfer-Encoding': 'chunked' },
    });
    expect((JSON.parse(answer.body) as Echoed).body).toHaveLength(100_000);
  });

  it.each(['plain', 'TLS'])('hands requests to a proxy server with its credentials (%s)', async (kind) => {
    const certificate = await certificateFor('127.0.0.1');
    const upstream = await upstreamWith({
      admits: (authorization) => authorization === rightHeader,
      ...(kind === 'TLS' ? { tls: certificate } : {}),
    });
    const proxy = await proxyWith(through(serverAt(upstream.port, basic, kind === 'TLS')), {
      authority: certificate.authority,
    });
    const url = `http://127.0.0.1:${origin.port}/x`;
    const answer = await askThrough(proxy.port, url);
    expect(answer.status).toBe(200);
    expect(JSON.parse(answer.body)).toMatchObject({ url: '/x' });
    const { socket } = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
    if (socket === undefined) throw new Error('there is no tunnel');
    expect(await exchange(socket, 'there')).toBe('hello there');
    expect(upstream.seen.map(({ method, target }) => [method, target])).toEqual([
      ['GET', url],
      ['CONNECT', `127.0.0.1:${echo.port}`],
    ]);
  });

  it('takes the first rule that matches', async () => {
    const [first, second] = [await upstreamWith(), await upstreamWith()];
    const proxy = await proxyWith({
      servers: { first: serverAt(first.port), second: serverAt(second.port) },
      rules: [
        { destination: `*:${echo.port}`, target: 'second' },
        { destination: 'http://*/direct', target: 'direct' },
        { destination: '*.forbidden.test|forbidden.test', target: 'none' },
        { destination: '127.*', target: 'first' },
      ],
    });
    await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/direct`);
    await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/other`);
    (await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`)).socket?.destroy();
    expect(first.seen.map(({ target }) => target)).toEqual([`http://127.0.0.1:${origin.port}/other`]);
    expect(second.seen.map(({ target }) => target)).toEqual([`127.0.0.1:${echo.port}`]);
    expect(await tunnelThrough(proxy.port, 'www.forbidden.test:443')).toMatchObject({
      status: 403,
      reason: 'the proxy configuration forbids www.forbidden.test:443',
    });
    expect(await askThrough(proxy.port, 'http://forbidden.test/')).toMatchObject({
      status: 403,
      body: 'the proxy configuration forbids forbidden.test:80\n',
    });
    expect(await tunnelThrough(proxy.port, 'elsewhere.test:443')).toMatchObject({
      status: 403,
      body: 'no rule of the proxy configuration is for elsewhere.test:443\n',
    });
  });

  it('says which proxy server refused its credentials, and tells no secret', async () => {
    const upstream = await upstreamWith({ admits: () => false });
    const proxy = await proxyWith(through(serverAt(upstream.port, basic)));
    const message =
      `the proxy server corp (127.0.0.1:${upstream.port}) refused the credentials that are configured for it ` +
      '(407 Proxy Authentication Required)';
    const tunnel = await tunnelThrough(proxy.port, 'example.test:443');
    expect(tunnel).toMatchObject({ status: 502, reason: message, body: `${message}\n` });
    expect(tunnel.headers['proxy-status']).toBe(`incus-os; error=http_request_denied; details="${message}"`);
    expect(tunnel.headers).not.toHaveProperty('proxy-authenticate');
    const request = await askThrough(proxy.port, 'http://example.test/');
    expect(request).toMatchObject({ status: 502, reason: message });
    expect(request.headers).not.toHaveProperty('proxy-authenticate');
    expect(proxy.log).toContain(message);
    for (const told of [proxy.log, JSON.stringify(tunnel), JSON.stringify(request)]) {
      expect(told).not.toContain(secret);
      expect(told).not.toContain(rightHeader.slice(6));
    }
  });

  it('hands on the status with which a proxy server refused a tunnel', async () => {
    const upstream = await upstreamWith({ connectStatus: 503 });
    const proxy = await proxyWith(through(serverAt(upstream.port)));
    expect(await tunnelThrough(proxy.port, 'example.test:443')).toMatchObject({
      status: 503,
      body: `the proxy server corp (127.0.0.1:${upstream.port}) gave no tunnel to example.test:443: 503 Service Unavailable\n`,
    });
  });

  it('names the hop that could not be reached', async () => {
    const gone = createServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    const { port } = gone.address() as { port: number };
    await new Promise((resolve) => gone.close(resolve));
    const message = `the proxy server corp (127.0.0.1:${port}) could not be reached: the connection was refused`;
    const proxy = await proxyWith({
      servers: { corp: serverAt(port) },
      rules: [
        { destination: '127.*', target: 'direct' },
        { destination: '*', target: 'corp' },
      ],
    });
    expect(await tunnelThrough(proxy.port, 'example.test:443')).toMatchObject({
      status: 502,
      reason: message,
    });
    expect(await askThrough(proxy.port, 'http://example.test/')).toMatchObject({
      status: 502,
      reason: message,
    });
    expect(await tunnelThrough(proxy.port, `127.0.0.1:${port}`)).toMatchObject({
      status: 502,
      reason: `127.0.0.1:${port} could not be reached: the connection was refused`,
    });
  });

  it('trusts a proxy server by TLS only for what the machine trusts', async () => {
    const upstream = await upstreamWith({ tls: await certificateFor('127.0.0.1') });
    const other = await certificateFor('127.0.0.1');
    const proxy = await proxyWith(through(serverAt(upstream.port, basic, true)), {
      authority: other.authority,
    });
    const answer = await tunnelThrough(proxy.port, 'example.test:443');
    expect(answer.status).toBe(502);
    expect(answer.reason).toContain(
      `no TLS connection to the proxy server corp (127.0.0.1:${upstream.port})`,
    );
    expect(answer.headers['proxy-status']).toContain('error=tls_certificate_error');
    expect(upstream.seen).toEqual([]);
  });

  it('notices that it is its own proxy server', async () => {
    const relay = await upstreamWith();
    const proxy = await proxyWith({
      servers: { relay: serverAt(relay.port) },
      rules: [{ destination: '*', target: 'relay' }],
    });
    const answer = await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`);
    const via = (JSON.parse(answer.body) as Echoed).headers['via'] ?? '';
    expect(via).toMatch(/^1\.1 incus-os-[\da-f]{12}$/u);
    expect(
      await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`, { headers: { Via: via } }),
    ).toMatchObject({
      status: 508,
    });
  });

  it.each(['/', 'https://example.test/', 'ftp://example.test/'])(
    'refuses a request for %s',
    async (target) => {
      const proxy = await proxyWith(direct);
      const socket = await new Promise<string>((resolve, reject) => {
        void import('node:net').then(({ connect }) => {
          const client = connect(proxy.port, '127.0.0.1');
          let received = '';
          client.on('data', (chunk) => (received += chunk.toString()));
          client.on('close', () => resolve(received)).on('error', reject);
          client.write(`GET ${target} HTTP/1.1\r\nHost: example.test\r\nConnection: close\r\n\r\n`);
        });
      });
      expect(socket).toMatch(/^HTTP\/1\.1 400 this is an HTTP proxy and no server/u);
    },
  );

  it.each(['example.test', 'example.test:0', 'example.test:99999', 'a/b:443', '2001:db8::1:443'])(
    'refuses a tunnel to %s',
    async (target) => {
      const proxy = await proxyWith(direct);
      expect(await tunnelThrough(proxy.port, target)).toMatchObject({ status: 400 });
    },
  );

  it('takes request after request on one connection, and says nothing of clients that leave', async () => {
    const proxy = await proxyWith(direct);
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const statuses = [];
    for (let count = 0; count < 30; count += 1)
      statuses.push((await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`, { agent })).status);
    agent.destroy();
    expect(new Set(statuses)).toEqual(new Set([200]));
    const leaving = connect(proxy.port, '127.0.0.1');
    const url = `http://127.0.0.1:${origin.port}/`;
    leaving.write(`POST ${url} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nbegun`);
    await new Promise((resolve) => setTimeout(resolve, 300));
    leaving.resetAndDestroy();
    await askThrough(proxy.port, url);
    expect(proxy.log.trim().split('\n')).toHaveLength(1);
  });

  it('goes on when clients and servers go away in the middle', async () => {
    const proxy = await proxyWith(direct);
    const opened = await Promise.all(
      Array.from({ length: 50 }, () => tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`)),
    );
    for (const { socket } of opened) socket?.resetAndDestroy();
    const { socket } = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
    if (socket === undefined) throw new Error('there is no tunnel');
    expect(await exchange(socket, 'still there')).toBe('hello still there');
    expect(proxy.log).not.toContain('the proxy of this machine failed');
  });

  it('does not start with settings that it does not understand, and tells no secret', async () => {
    const settings = JSON.stringify({ servers: { corp: { ...serverAt(1, basic), port: 'x' } }, rules: [] });
    const failure: unknown = await ProxyProcess.start(programs, settings).catch((error: unknown) => error);
    expect(String(failure)).toContain('server corp has no port');
    expect(String(failure)).not.toContain(secret);
  });
});
