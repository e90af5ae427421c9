import { rm } from 'node:fs/promises';
import type { ProxyServer, ProxySettings } from '@incusos/proxy-settings';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { negotiateAcceptor } from './testing/acceptor.ts';
import { askThrough, exchange, tunnelThrough } from './testing/clients.ts';
import { Kdc } from './testing/kdc.ts';
import { buildProxy, ProxyProcess } from './testing/proxy-process.ts';
import {
  type Running,
  startEcho,
  startOrigin,
  startUpstream,
  type UpstreamProxy,
} from './testing/servers.ts';

const realm = 'EXAMPLE.TEST';
const secret = 'pass wörd';

let programs: string;
let kdc: Kdc;
let origin: Running;
let echo: Running;
let upstream: UpstreamProxy;
const admitted: (string | undefined)[] = [];
const running: ProxyProcess[] = [];

beforeAll(async () => {
  [programs, kdc, origin, echo] = await Promise.all([
    buildProxy(),
    Kdc.start(realm),
    startOrigin(),
    startEcho(),
  ]);
  await kdc.addUser('machine', secret);
  await kdc.addService('HTTP/localhost');
  const clientOf = negotiateAcceptor(kdc.keytab);
  upstream = await startUpstream({
    admits: (authorization) => {
      const client = clientOf(authorization);
      admitted.push(client);
      return client === `machine@${realm}`;
    },
  });
});

afterEach(async () => {
  for (const proxy of running.splice(0)) await proxy.stop();
  admitted.length = 0;
});

afterAll(async () => {
  await Promise.all([upstream.close(), origin.close(), echo.close(), kdc.close()]);
  await rm(programs, { recursive: true, force: true });
});

async function proxyAs(password: string, principal = `machine@${realm}`): Promise<ProxyProcess> {
  const corp: ProxyServer = {
    host: 'localhost',
    port: upstream.port,
    tls: false,
    authentication: { type: 'kerberos', realm, principal, password },
  };
  const settings: ProxySettings = { servers: { corp }, rules: [{ destination: '*', target: 'corp' }] };
  const proxy = await ProxyProcess.start(programs, settings, { env: { KRB5_CONFIG: kdc.configuration } });
  running.push(proxy);
  return proxy;
}

describe('a proxy server that wants Kerberos', () => {
  it('gets a ticket of the configured principal with every request, from a real KDC', async () => {
    const proxy = await proxyAs(secret);
    const { socket } = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
    if (socket === undefined) throw new Error('there is no tunnel');
    expect(await exchange(socket, 'there')).toBe('hello there');
    expect(await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`)).toMatchObject({ status: 200 });
    // Two tokens at once are two tokens: none is a replay of another.
    const many = await Promise.all(
      Array.from({ length: 20 }, () => askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`)),
    );
    expect(many.map(({ status }) => status)).toEqual(many.map(() => 200));
    expect(admitted).toEqual(Array.from({ length: 22 }, () => `machine@${realm}`));
  });

  it('needs no KDC while the tickets last', async () => {
    const proxy = await proxyAs(secret);
    await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`);
    await kdc.halt();
    try {
      expect(await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/`)).toMatchObject({ status: 200 });
    } finally {
      await kdc.run();
    }
  });

  it('is not asked without a ticket, and the answer says why there is none', async () => {
    const proxy = await proxyAs('wrong');
    const answer = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
    expect(answer).toMatchObject({
      status: 502,
      reason:
        `no Kerberos ticket of machine@${realm} for the proxy server corp (localhost:${upstream.port}): ` +
        'Decrypt integrity check failed',
    });
    expect(admitted).toEqual([]);
    const unknown = await proxyAs(secret, `nobody@${realm}`);
    expect((await tunnelThrough(unknown.port, 'example.test:443')).reason).toMatch(
      /no Kerberos ticket of nobody@.*not found in Kerberos database/u,
    );
    expect(proxy.log + unknown.log).not.toContain(secret);
  });

  it('of which a password was refused is not tried with it again at once', async () => {
    const proxy = await proxyAs('later');
    const first = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
    // Now it would be right; a directory that counts wrong passwords would not know.
    await kdc.setPassword('machine', 'later');
    try {
      expect(await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`)).toEqual(first);
      const again = await proxyAs('later');
      const { socket } = await tunnelThrough(again.port, `127.0.0.1:${echo.port}`);
      socket?.destroy();
      expect(socket).toBeDefined();
    } finally {
      await kdc.setPassword('machine', secret);
    }
  });

  it('is named when no KDC answers', async () => {
    await kdc.halt();
    try {
      const proxy = await proxyAs(secret);
      const { status, reason } = await tunnelThrough(proxy.port, 'example.test:443');
      expect(status).toBe(502);
      expect(reason).toMatch(/no Kerberos ticket of machine@EXAMPLE\.TEST .*Cannot contact any KDC/u);
    } finally {
      await kdc.run();
    }
  });
});
