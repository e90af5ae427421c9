import { connect } from 'node:net';
import { NetworkServiceService } from '@incusos/contracts/network';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { TestGateway } from '../testing/test-gateway.ts';

const network = '/1.0/system/network';
const valid = { config: { interfaces: [{ name: 'enp5s0', hwaddr: 'enp5s0' }] } };

describe('bad input', () => {
  let test: TestGateway;

  beforeAll(async () => {
    test = await TestGateway.start();
  });

  afterEach(() => {
    test.services.seen.length = 0;
  });

  afterAll(async () => {
    await test.stop();
  });

  /** The reply to a body that must not get as far as the service. */
  async function refused(path: string, body: string | Buffer, method = 'PUT') {
    const reply = await test.ask(path, { method, body });
    expect(test.services.seen.filter(({ call }) => !call.endsWith('WatchTrustedClients'))).toEqual([]);
    expect(reply.headers['content-type']).toBe('application/json');
    expect(reply.headers['x-content-type-options']).toBe('nosniff');
    const envelope = reply.json();
    expect(envelope).toEqual({
      type: 'error',
      status: '',
      status_code: 0,
      operation: '',
      error_code: reply.status,
      error: envelope.error,
      metadata: null,
    });
    return { status: reply.status, error: envelope.error };
  }

  it('says where JSON is malformed', async () => {
    expect(await refused(network, '{\n  "config": nul }')).toEqual({
      status: 400,
      error: 'invalid JSON at line 2, column 16',
    });
    expect(await refused(network, '{"config": {')).toEqual({
      status: 400,
      error: 'invalid JSON: unexpected end of text',
    });
  });

  it('names the field of a wrong type by its path', async () => {
    const body = { config: { interfaces: [{ name: 'a', hwaddr: 'a', mtu: 'big' }] } };
    expect(await refused(network, JSON.stringify(body))).toEqual({
      status: 400,
      error: 'config.interfaces[0].mtu: must be an integer',
    });
  });

  it('names every field of a wrong type', async () => {
    const body = { config: { interfaces: [{ name: 1, hwaddr: 'a', addresses: ['dhcp4', 2] }] } };
    const { status, error } = await refused(network, JSON.stringify(body));
    expect(status).toBe(400);
    expect(error.split('; ').toSorted()).toEqual([
      'config.interfaces[0].addresses[1]: must be a string',
      'config.interfaces[0].name: must be a string',
    ]);
  });

  it.each(['[]', '"text"', '7', 'null', 'true'])('refuses %s where an object belongs', async (body) => {
    expect(await refused(network, body)).toEqual({ status: 400, error: 'request body: must be an object' });
  });

  it('refuses values outside of what their type can hold', async () => {
    const body = '{"pool":"p","name":"v","use":"incus","quota":99999999999999999999}';
    const { status, error } = await refused('/1.0/system/storage/:create-volume', body, 'POST');
    expect(status).toBe(400);
    expect(error).toMatch(/^quota: must be between/);
  });

  it("gives the contract's own texts where it has some", async () => {
    const texts: readonly (readonly [method: string, path: string, body: string, error: string])[] = [
      ['PUT', network, '{"config":{}}', 'network configuration has no devices defined'],
      ['POST', '/1.0/applications', '', 'missing application name'],
      ['POST', '/1.0/system/storage/:delete-pool', '', 'no pool name provided'],
      ['POST', '/1.0/system/storage/:wipe-drive', '{}', 'no drive specified'],
      [
        'POST',
        '/1.0/system/storage/:import-pool',
        '{"name":"p","type":"btrfs"}',
        "unsupported pool type 'btrfs'",
      ],
      ['PUT', '/1.0/system/security', '{"config":{}}', 'no encryption key provided'],
      ['PUT', '/1.0/system/provider', '{"config":{}}', 'a provider name must be specified'],
      ['PUT', '/1.0/system/storage', '', 'invalid cron expression provided for scrub schedule'],
      ['POST', '/internal/tui/:write-message', '{}', 'no log message provided'],
      [
        'POST',
        '/1.0/system/:recover-state',
        '{"service":"network","use":"other"}',
        "use must be 'previous' or 'initial'",
      ],
      ['POST', '/1.0/system/:recover-state', '{"service":7,"use":"initial"}', 'service: must be a string'],
    ];
    for (const [method, path, body, error] of texts)
      expect(await refused(path, body, method)).toEqual({ status: 400, error });
  });

  it('refuses a body that is larger than allowed, and goes on with the next request', async () => {
    const { status, error } = await refused(network, Buffer.alloc(10 * 1024 * 1024, ' '));
    expect(status).toBe(413);
    expect(error).toBe('the request body is larger than 1048576 bytes');
    expect((await test.ask('/')).status).toBe(200);
  });

  it('refuses deep nesting before it is parsed', async () => {
    const deep = `{"config":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
    expect(await refused(network, deep)).toEqual({
      status: 400,
      error: 'invalid JSON: nested more than 32 levels deep',
    });
  });

  it('refuses what would change what objects inherit', async () => {
    const { status } = await refused(network, '{"__proto__":{"admin":true}}');
    expect(status).toBe(400);
  });

  it('refuses text that is not UTF-8', async () => {
    expect(await refused(network, Buffer.from([0x7b, 0xff, 0x7d]))).toEqual({
      status: 400,
      error: 'the request body is not valid UTF-8',
    });
  });

  it('wants a body where one is required, and none where it is optional', async () => {
    expect(await refused(network, '')).toEqual({
      status: 400,
      error: 'the request body is empty; a JSON object is expected',
    });
    expect((await test.post('/1.0/system/:factory-reset')).status).toBe(200);
    expect((await test.post('/1.0/system/update/:check')).status).toBe(200);
  });

  it('ignores keys that it does not know', async () => {
    const reply = await test.put(network, { ...valid, state: { nonsense: [1] }, future: true });
    expect(reply.json()).toMatchObject({ type: 'sync', status_code: 200, metadata: {} });
    expect(test.services.seen.at(-1)?.request).toMatchObject(valid);
  });

  it.each([
    'application/x-www-form-urlencoded',
    'text/plain',
    'application/octet-stream',
    'no content type at all;;',
    '',
  ])('reads JSON whatever content type is claimed (%s)', async (type) => {
    const reply = await test.put(network, valid, { headers: { 'content-type': type } });
    expect(reply.status, reply.text).toBe(200);
  });

  it('answers 404 to reading what is not there and 501 to changing it', async () => {
    expect((await test.ask('/1.0/nothing')).json()).toMatchObject({ error_code: 404, error: 'not found' });
    expect((await test.ask('/2.0')).json()).toMatchObject({ error_code: 404 });
    expect((await test.ask('/1.0/system/')).json()).toMatchObject({ error_code: 404 });
    expect((await test.post('/1.0/nothing', { big: 'x'.repeat(100_000) })).json()).toMatchObject({
      error_code: 501,
      error: 'not implemented',
    });
    expect((await test.ask(`/1.0/applications/${'a'.repeat(5_000)}`)).json()).toMatchObject({
      error_code: 404,
    });
    expect((await test.ask('/1.0/%E0%A4%A')).json()).toMatchObject({
      error_code: 400,
      error: 'the request path is not valid',
    });
  });

  it('answers what is not HTTP, and headers without end, with an envelope', async () => {
    const say = (text: string): Promise<string> =>
      new Promise((resolve, reject) => {
        let answer = '';
        const socket = connect(test.gateway.socket, () => socket.write(text));
        socket.setEncoding('utf8');
        socket.on('data', (chunk: string) => (answer += chunk));
        socket.on('close', () => resolve(answer));
        socket.on('error', reject);
      });
    expect(await say('SSH-2.0-x\r\n\r\n')).toMatch(
      /^HTTP\/1\.1 400 [^]*"error":"the request is not valid HTTP"/,
    );
    expect(await say(`GET / HTTP/1.1\r\nHost: x\r\nX: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(
      /^HTTP\/1\.1 431 [^]*"error_code":431/,
    );
  });

  it('answers whatever is sent as a body with 200 or 400, in an envelope', async () => {
    const key = fc.constantFrom(
      'config',
      'interfaces',
      'name',
      'addresses',
      'mtu',
      'dns',
      'constructor',
      'then',
      'x',
    );
    const { value: nested } = fc.letrec<{ value: unknown }>((tie) => ({
      value: fc.oneof(
        { maxDepth: 6 },
        fc.jsonValue(),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4 }),
      ),
    }));
    const body = fc.oneof(
      nested.map((value) => JSON.stringify(value)),
      fc.json(),
      fc.string(),
      fc.uint8Array().map((bytes) => Buffer.from(bytes)),
    );
    const path = fc.constantFrom(
      network,
      '/1.0/system/security',
      '/1.0/system/kernel',
      '/1.0/system/storage',
    );
    await fc.assert(
      fc.asyncProperty(path, body, async (to, content) => {
        const reply = await test.ask(to, { method: 'PUT', body: content });
        expect([200, 400], reply.text).toContain(reply.status);
        const { type, error } = reply.json();
        expect(type).toBe(reply.status === 200 ? 'sync' : 'error');
        if (reply.status === 400) expect(error).not.toBe('');
      }),
      { numRuns: 300 },
    );
  });

  it('hides the inside of what it did not expect, but gives the id under which the log has it', async () => {
    test.services.on('network', NetworkServiceService, 'flushDns', () => {
      throw new Error('secret /var/lib/incus-os/network/key');
    });
    const reply = await test.post('/1.0/system/network/:flush-dns', undefined, {
      headers: { 'x-request-id': 'look-here' },
    });
    expect(reply.status).toBe(500);
    expect(reply.text).not.toContain('secret');
    expect(reply.text).not.toMatch(/\.ts|at /);
    expect(reply.json().error).toContain('look-here');
  });
});
