import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { ApplicationsServiceService } from '@incusos/contracts/applications';
import { BackupServiceService, type RestoreRequest } from '@incusos/contracts/backup';
import { SecurityServiceService } from '@incusos/contracts/security';
import { StorageServiceService } from '@incusos/contracts/storage';
import { DebugServiceService } from '@incusos/contracts/system';
import { DomainError } from '@incusos/service';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allOf } from '../testing/fake-services.ts';
import { TestGateway, until } from '../testing/test-gateway.ts';

const mebibyte = 1024 * 1024;

describe('streamed bodies', () => {
  let test: TestGateway;

  beforeAll(async () => {
    test = await TestGateway.start();
  });

  afterAll(async () => {
    await test.stop();
  });

  it('passes a backup through, as bytes that are no JSON', async () => {
    test.services.on('backup', BackupServiceService, 'createBackup', async function* () {
      for (let part = 0; part < 64; part += 1) yield { chunk: Buffer.alloc(64 * 1024, part) };
    });
    const reply = await test.post('/1.0/system/:backup');
    expect(reply.status).toBe(200);
    expect(reply.headers['content-type']).toBe('application/gzip');
    expect(reply.bytes.length).toBe(4 * mebibyte);
    expect(reply.bytes[reply.bytes.length - 1]).toBe(63);
  });

  it('answers with an envelope when a backup fails before its first byte', async () => {
    test.services.on('backup', BackupServiceService, 'createBackup', async function* () {
      throw new DomainError('OPERATION_FAILED', 'the network service has no state');
    });
    const reply = await test.post('/1.0/system/:backup');
    expect(reply.status).toBe(500);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.json().error).toBe('the network service has no state');
  });

  it('breaks the connection when a backup fails halfway, so that nobody takes it for whole', async () => {
    test.services.on('backup', BackupServiceService, 'createBackup', async function* () {
      yield { chunk: Buffer.alloc(mebibyte) };
      throw new DomainError('OPERATION_FAILED', 'the disk went away');
    });
    await expect(test.post('/1.0/system/:backup')).rejects.toThrow(/aborted|hang up|ECONNRESET/);
  });

  it('reads a backup no faster than its client, and ends it when the client goes away', async () => {
    let made = 0;
    let ended = false;
    test.services.on('backup', BackupServiceService, 'createBackup', async function* () {
      try {
        for (; made < 4_096; made += 1) yield { chunk: Buffer.alloc(64 * 1024) };
      } finally {
        ended = true;
      }
    });
    const request = httpRequest({
      socketPath: test.gateway.socket,
      path: '/1.0/system/:backup',
      method: 'POST',
    });
    request.on('error', () => undefined);
    request.end();
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { destroy(): void }];
    response.pause();
    let before = -1;
    await until(async () => {
      const still = made === before;
      before = made;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return still;
    });
    // 256 MiB were to be had; what flows is what the buffers on the way hold.
    expect(made).toBeLessThan(1_024);
    response.destroy();
    await until(() => ended);
  });

  it('hands an upload to the backup service with what is to be skipped', async () => {
    let got: RestoreRequest[] = [];
    test.services.on('backup', BackupServiceService, 'restore', async (requests) => {
      got = await allOf(requests);
      return {};
    });
    const body = Buffer.alloc(3 * mebibyte, 7);
    const reply = await test.ask('/1.0/system/:restore?skip=network-macs,encryption-recovery-keys', {
      method: 'POST',
      body,
    });
    expect(reply.json()).toMatchObject({ status_code: 200, metadata: {} });
    expect(got[0]?.skip).toEqual(['network-macs', 'encryption-recovery-keys']);
    expect(Buffer.concat(got.map(({ chunk }) => chunk)).equals(body)).toBe(true);
  });

  it('takes an upload no faster than the service uses it', async () => {
    const { promise: goOn, resolve: release } = Promise.withResolvers<undefined>();
    let used = 0;
    test.services.on('backup', BackupServiceService, 'restore', async (requests) => {
      for await (const { chunk } of requests) {
        used += chunk.length;
        await goOn;
      }
      return {};
    });
    const total = 48 * mebibyte;
    const request = httpRequest({
      socketPath: test.gateway.socket,
      path: '/1.0/system/:restore',
      method: 'POST',
      headers: { 'content-length': String(total) },
    });
    let sent = 0;
    const sending = (async () => {
      const part = Buffer.alloc(256 * 1024);
      for (; sent < total; sent += part.length) {
        if (!request.write(part)) await once(request, 'drain');
      }
      request.end();
    })();
    let before = -1;
    await until(async () => {
      const still = sent > 0 && sent === before;
      before = sent;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return still;
    });
    expect(sent).toBeLessThan(total / 2);
    const replied = once(request, 'response') as Promise<[NodeJS.ReadableStream & { statusCode: number }]>;
    release(undefined);
    await sending;
    const [response] = await replied;
    expect(response.statusCode).toBe(200);
    expect(used).toBe(total);
    response.resume();
  });

  it('answers while an upload is still under way when the service refuses it', async () => {
    test.services.on('backup', BackupServiceService, 'restore', async (requests) => {
      for await (const { chunk } of requests) {
        if (chunk.length > 0)
          throw new DomainError('INVALID_REQUEST', 'the archive is not a gzip-compressed tar');
      }
      return {};
    });
    const reply = await test.ask('/1.0/system/:restore', {
      method: 'POST',
      body: Buffer.alloc(8 * mebibyte, 1),
    });
    expect(reply.json()).toMatchObject({
      error_code: 400,
      error: 'the archive is not a gzip-compressed tar',
    });
  });

  it('refuses an upload that is larger than allowed', async () => {
    test.services.on('security', SecurityServiceService, 'updateSecureBoot', async (requests) => {
      await allOf(requests);
      return {};
    });
    const reply = await test.ask('/1.0/debug/secureboot/:update', {
      method: 'POST',
      body: Buffer.alloc(17 * mebibyte),
    });
    expect(reply.json()).toMatchObject({ error_code: 413 });
  });

  it('tells the service when an upload is cut short', async () => {
    let outcome = '';
    test.services.on('backup', BackupServiceService, 'restore', async (requests) => {
      try {
        await allOf(requests);
        outcome = 'whole';
      } catch {
        outcome = 'broken';
      }
      return {};
    });
    const request = httpRequest({
      socketPath: test.gateway.socket,
      path: '/1.0/system/:restore',
      method: 'POST',
      headers: { 'content-length': String(mebibyte) },
    });
    request.on('error', () => undefined);
    request.write(Buffer.alloc(1000));
    await until(() => test.services.seen.at(-1)?.call.endsWith('BackupService/Restore') === true);
    request.destroy();
    await until(() => outcome !== '');
    expect(outcome).toBe('broken');
  });

  it('sends the name of the application before the bytes of its restore', async () => {
    const names: string[] = [];
    test.services.on('applications', ApplicationsServiceService, 'restore', async (requests) => {
      for await (const { name } of requests) names.push(name);
      return {};
    });
    expect(
      (await test.ask('/1.0/applications/incus/:restore', { method: 'POST', body: 'bytes' })).status,
    ).toBe(200);
    expect(names).toEqual(['incus', '']);
  });

  it('lists journal entries as they come, as the raw objects they are', async () => {
    const entries = ['{"MESSAGE":"one","N":9007199254740993}', '{"MESSAGE":"two"}'];
    test.services.on('system', DebugServiceService, 'streamLog', async function* () {
      for (const entry of entries) yield { entry };
    });
    const reply = await test.ask('/1.0/debug/log?unit=incus-osd.service&boot=0&entries=100&since=');
    expect(reply.text).toContain(`"metadata":[${entries.join(',')}]}`);
    expect(reply.json().metadata).toHaveLength(2);
    expect(test.services.seen.at(-1)?.request).toEqual({
      unit: 'incus-osd.service',
      boot: '0',
      entries: '100',
      since: undefined,
      until: undefined,
    });
  });

  it('gives an empty list when there are no entries, and an envelope when there can be none', async () => {
    test.services.on('system', DebugServiceService, 'streamLog', async function* () {
      // No entries.
    });
    expect((await test.ask('/1.0/debug/log')).json().metadata).toEqual([]);
    test.services.on('system', DebugServiceService, 'streamLog', async function* () {
      throw new DomainError('INVALID_REQUEST', 'entries must be a number');
    });
    expect((await test.ask('/1.0/debug/log?entries=x')).json()).toMatchObject({ error_code: 400 });
  });

  it('hands a support script over as the bytes it is', async () => {
    test.services.on('system', DebugServiceService, 'runScript', ({ script }) => ({
      output: script.toString('hex'),
    }));
    const reply = await test.ask('/1.0/debug/:run-script', {
      method: 'POST',
      body: Buffer.from([0, 255, 10]),
    });
    expect(reply.json().metadata).toBe('00ff0a');
  });

  it('gives a wipe that fails soon its true status', async () => {
    test.services.on('storage', StorageServiceService, 'wipeDrive', () => {
      throw new DomainError('OPERATION_FAILED', 'the drive is in use');
    });
    const reply = await test.post('/1.0/system/storage/:wipe-drive', { id: 'd' });
    expect(reply.status).toBe(500);
    expect(reply.json().error).toBe('the drive is in use');
  });

  it.each([
    [':wipe-drive', 'wipeDrive'],
    [':encrypt-drive', 'encryptDrive'],
  ] as const)('sends the headers of a long %s before its outcome is known', async (action, method) => {
    const { promise: finished, reject: fail } = Promise.withResolvers<never>();
    test.services.on('storage', StorageServiceService, method, () => finished);
    const request = httpRequest({
      socketPath: test.gateway.socket,
      path: `/1.0/system/storage/${action}`,
      method: 'POST',
    });
    request.end('{"id":"d"}');
    const [response] = (await once(request, 'response')) as [NodeJS.ReadableStream & { statusCode: number }];
    expect(response.statusCode).toBe(200);
    fail(new DomainError('OPERATION_FAILED', 'the drive broke'));
    let text = '';
    for await (const chunk of response) text += String(chunk);
    expect(JSON.parse(text)).toMatchObject({ type: 'error', error_code: 500, error: 'the drive broke' });
  });
});
