import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { connect } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { LocalPrograms } from '@incusos/host';
import { Rest } from '../appliance/rest.ts';
import { trustedClient, url } from './client.ts';

const rest = trustedClient();
afterAll(() => rest.close());

const port = Number(new URL(url).port);

describe('who is not trusted', () => {
  it('gets 403 without a certificate', async () => {
    const stranger = new Rest(url, {});
    const { status, body } = await stranger.send('GET', '/os/1.0/system/network');
    stranger.close();
    expect(status).toBe(403);
    expect(body.toString()).toContain('Forbidden');
  });

  it('gets 403 with an unknown certificate', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'stranger-'));
    const [key, cert] = [join(scratch, 'key.pem'), join(scratch, 'cert.pem')];
    const request = [
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=stranger',
    ];
    await new LocalPrograms().run(['openssl', 'req', ...request, '-keyout', key, '-out', cert]);
    const stranger = new Rest(url, { cert: readFileSync(cert), key: readFileSync(key) });
    rmSync(scratch, { recursive: true });
    const { status } = await stranger.send('GET', '/os/1.0');
    const put = await stranger.send('PUT', '/os/1.0/system/logging', { json: { config: {} } });
    stranger.close();
    expect([status, put.status]).toEqual([403, 403]);
  });

  it('gets 426 on plain HTTP', async () => {
    const answer = await new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request({ port, host: '127.0.0.1', path: '/os/1.0' }, (response) => {
        text(response).then((body) => resolve({ status: response.statusCode, body }), reject);
      })
        .on('error', reject)
        .end();
    });
    expect(answer.status).toBe(426);
    expect(answer.body).toContain('Upgrade Required');
  });

  it('gets nowhere with TLS older than 1.3', async () => {
    await expect(
      new Promise((resolve, reject) => {
        const socket = connect(
          { port, host: '127.0.0.1', maxVersion: 'TLSv1.2', rejectUnauthorized: false },
          () => {
            resolve(socket.getProtocol());
            socket.destroy();
          },
        );
        socket.on('error', reject);
      }),
    ).rejects.toThrow();
  });
});

describe('the self-description of an Incus server', () => {
  it('has what the official client asks for before every call, and nothing else', async () => {
    const described = await rest.get<Record<string, unknown>>('/1.0');
    expect(Object.keys(described).toSorted()).toEqual(
      [
        'api_extensions',
        'api_status',
        'api_version',
        'auth',
        'auth_methods',
        'config',
        'environment',
        'public',
      ].toSorted(),
    );
    expect(described).toMatchObject({ api_version: '1.0', auth: 'trusted', public: false });
    expect((await rest.send('GET', '/1.0/instances')).status).toBe(404);
  });
});

describe('the envelope', () => {
  it('is the contract’s on success', async () => {
    const envelope = await rest.envelope('GET', '/os/1.0/system');
    expect(envelope).toMatchObject({
      http: 200,
      type: 'sync',
      status: 'Success',
      status_code: 200,
      operation: '',
      error_code: 0,
      error: '',
    });
    expect(envelope.metadata).toContain('/os/1.0/system/network');
  });

  it('is the contract’s on failure', async () => {
    const { status, headers, body } = await rest.send('GET', '/os/1.0/applications/no-such-application');
    expect(status).toBe(404);
    expect(headers['content-type']).toMatch(/^application\/json/u);
    expect(headers['x-content-type-options']).toBe('nosniff');
    expect(JSON.parse(body.toString())).toMatchObject({
      type: 'error',
      status: '',
      status_code: 0,
      operation: '',
      error_code: 404,
      metadata: null,
    });
  });

  it('answers 404 for an unknown path and 501 for a method that an endpoint lacks', async () => {
    expect((await rest.envelope('GET', '/os/1.0/nothing/here')).http).toBe(404);
    expect((await rest.envelope('POST', '/os/1.0/nothing/here')).http).toBe(501);
    expect((await rest.envelope('DELETE', '/os/1.0/system/network')).http).toBe(501);
    expect((await rest.envelope('PATCH', '/os/1.0/system')).http).toBe(501);
  });

  it('keeps the internal endpoints from everyone but the local socket', async () => {
    expect((await rest.envelope('GET', '/os/internal/secureboot')).http).toBe(403);
  });
});

describe('a body that is wrong', () => {
  it('is refused when it is not JSON', async () => {
    const { http, error } = await rest.envelope('PUT', '/os/1.0/system/logging', { raw: '{"config": {' });
    expect(http).toBe(400);
    expect(error).not.toBe('');
  });

  it('is refused with the path of the field that has the wrong type', async () => {
    const config = { interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0', mtu: 'large' }] };
    const { http, error } = await rest.envelope('PUT', '/os/1.0/system/network', { json: { config } });
    expect(http).toBe(400);
    expect(error).toContain('config.interfaces[0].mtu');
  });

  it('is refused when it is missing and needed', async () => {
    expect((await rest.envelope('PUT', '/os/1.0/system/network', { raw: '' })).http).toBe(400);
  });

  it('is refused when it is larger than any configuration', async () => {
    const { status } = await rest.send('PUT', '/os/1.0/system/logging', {
      raw: Buffer.alloc(10 * 1024 * 1024, '['),
    });
    expect([400, 413]).toContain(status);
  });

  it('is refused when it is nested without end', async () => {
    const depth = 50_000;
    const raw = `{"config":${'['.repeat(depth)}${']'.repeat(depth)}}`;
    expect((await rest.envelope('PUT', '/os/1.0/system/logging', { raw })).http).toBe(400);
  });

  it('may have keys that nobody knows', async () => {
    const before = await rest.get<{ config: unknown }>('/os/1.0/system/logging');
    const json = { ...before, surprise: 1, config: Object.assign({ surprise: [] }, before.config) };
    expect((await rest.envelope('PUT', '/os/1.0/system/logging', { json })).http).toBe(200);
    expect((await rest.get<{ config: unknown }>('/os/1.0/system/logging')).config).toEqual(before.config);
  });
});

describe('errors', () => {
  it('tell no path and no stack', async () => {
    for (const [method, path, raw] of [
      ['PUT', '/os/1.0/system/network', '{"config":{"interfaces":null}}'],
      ['POST', '/os/1.0/system/storage/:delete-pool', '{"name":"no-such-pool"}'],
      ['POST', '/os/1.0/system/:restore', 'not a gzip archive'],
    ] as const) {
      const { http, error } = await rest.envelope(method, path, { raw });
      expect(http).toBeGreaterThanOrEqual(400);
      expect(error).not.toMatch(/\.(?:ts|mjs|js):\d+|node_modules|\/dist\//u);
    }
  });
});
