import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { ImageServer } from '@incusos/images/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { fetchFile, fetchLimits } from './fetch-file.ts';
import { useConfiguredProxy } from './outbound-proxy.ts';

let directory: string;
let host: Host;
let images: ImageServer;
let proxy: Server;
let asked: string[];
let refusal: string | undefined;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'outbound-'));
  host = { files: new LocalFiles(directory), programs: new LocalPrograms() };
  images = await ImageServer.start();
  images.serve('/index.sjson', 'content');
  [asked, refusal] = [[], undefined];
  proxy = createServer().on('connect', (request, socket) => {
    asked.push(request.url ?? '');
    if (refusal !== undefined) {
      socket.end(`HTTP/1.1 502 ${refusal}\r\n\r\n`);
      return;
    }
    // Whatever the name, the image server answers.
    const onward = connect(Number(new URL(images.url).port), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n');
      socket.pipe(onward).pipe(socket);
    });
    socket.on('error', () => onward.destroy());
    onward.on('error', () => socket.destroy());
  });
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
});

afterEach(async () => {
  await configure(undefined);
  await images.close();
  proxy.closeAllConnections();
  await new Promise((resolve) => proxy.close(resolve));
  await rm(directory, { recursive: true, force: true });
});

async function configure(url: string | undefined): Promise<void> {
  if (url === undefined) await host.files.remove('/etc/environment');
  else {
    const text = `http_proxy=${url}\nhttps_proxy=${url}\nno_proxy=localhost,127.0.0.1,::1\n`;
    await host.files.writeAtomic('/etc/environment', text);
  }
  await useConfiguredProxy(host);
}

function proxyUrl(): string {
  return `http://localhost:${(proxy.address() as AddressInfo).port}`;
}

function get(url: string): Promise<Buffer> {
  const limits = { ...fetchLimits, attempts: 2, pauseMs: 5, answerMs: 5_000 };
  return fetchFile(new URL(url), { userAgent: 'IncusOS/1', limits, signal: new AbortController().signal });
}

describe('a request of a service', () => {
  it('takes the configured proxy from the moment it is configured until it is not', async () => {
    expect((await get(`${images.url}/index.sjson`)).toString()).toBe('content');
    await configure(proxyUrl());
    expect((await get('http://images.test/index.sjson')).toString()).toBe('content');
    expect(asked).toEqual(['images.test:80']);
    await configure(undefined);
    await expect(get('http://images.test/index.sjson')).rejects.toThrow('images.test');
    expect(asked).toHaveLength(1);
  });

  it('to this machine itself takes no proxy', async () => {
    await configure(proxyUrl());
    expect((await get(images.url.replace(/\/\/[^:]+/u, '//127.0.0.1') + '/index.sjson')).toString()).toBe(
      'content',
    );
    expect(asked).toEqual([]);
  });

  it('fails with what the proxy says', async () => {
    refusal = 'the proxy server corp (proxy.test:3128) refused the credentials that are configured for it';
    await configure(proxyUrl());
    await expect(get('https://images.test/index.sjson')).rejects.toThrow(
      `http request timed out after five seconds: ${refusal}`,
    );
    expect(asked[0]).toBe('images.test:443');
  });
});
