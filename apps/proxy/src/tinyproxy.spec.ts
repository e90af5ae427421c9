import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type RunningProcess, startProcess } from '@incusos/host';
import type { ProxyServer } from '@incusos/proxy-settings';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { askThrough, tunnelThrough } from './testing/clients.ts';
import { freePort } from './testing/ports.ts';
import { buildProxy, ProxyProcess, serverAt } from './testing/proxy-process.ts';
import { type Running, startEcho, startOrigin } from './testing/servers.ts';

let programs: string;
let directory: string;
let port: number;
let tinyproxy: RunningProcess;
let origin: Running;
let echo: Running;

beforeAll(async () => {
  [programs, origin, echo] = await Promise.all([buildProxy(), startOrigin(), startEcho()]);
  directory = await mkdtemp(join(tmpdir(), 'tinyproxy-'));
  port = await freePort();
  const configuration = join(directory, 'tinyproxy.conf');
  await writeFile(configuration, `Port ${port}\nListen 127.0.0.1\nTimeout 60\nBasicAuth machine s3cret\n`);
  tinyproxy = startProcess(['tinyproxy', '-d', '-c', configuration], { env: process.env });
  tinyproxy.stderr.resume();
  const state = { said: '', ended: false };
  tinyproxy.stdout.on('data', (text: Buffer) => (state.said += text.toString()));
  void tinyproxy.exited.then(() => (state.ended = true));
  while (!state.said.includes('Accepting connections')) {
    if (state.ended) throw new Error(`tinyproxy did not start: ${state.said}`);
    await sleep(20);
  }
});

afterAll(async () => {
  tinyproxy.signal('SIGTERM');
  await Promise.all([tinyproxy.exited, origin.close(), echo.close()]);
  for (const path of [programs, directory]) await rm(path, { recursive: true, force: true });
});

async function withProxy(password: string, use: (proxy: ProxyProcess) => Promise<void>): Promise<void> {
  const authentication: ProxyServer['authentication'] = { type: 'basic', username: 'machine', password };
  const proxy = await ProxyProcess.start(programs, {
    servers: { tiny: serverAt(port, authentication) },
    rules: [{ destination: '*', target: 'tiny' }],
  });
  await use(proxy).finally(() => proxy.stop());
}

describe('a real proxy server, tinyproxy, with a user and a password', () => {
  it('lets requests and tunnels through', () =>
    withProxy('s3cret', async (proxy) => {
      const answer = await askThrough(proxy.port, `http://127.0.0.1:${origin.port}/a`, {
        method: 'PUT',
        body: 'content',
      });
      expect(answer.status).toBe(200);
      expect(JSON.parse(answer.body)).toMatchObject({ method: 'PUT', url: '/a', body: 'content' });
      const { socket } = await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`);
      if (socket === undefined) throw new Error('there is no tunnel');
      socket.write('there');
      let received = '';
      for await (const chunk of socket as AsyncIterable<Buffer>) {
        received += chunk.toString();
        if (received.length >= 'hello there'.length) break;
      }
      expect(received).toBe('hello there');
    }));

  it('is named when it refuses the password', () =>
    withProxy('wrong', async (proxy) => {
      expect(await tunnelThrough(proxy.port, `127.0.0.1:${echo.port}`)).toMatchObject({
        status: 502,
        reason: `the proxy server tiny (127.0.0.1:${port}) refused the credentials that are configured for it (401 Unauthorized)`,
      });
    }));
});
