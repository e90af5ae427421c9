import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureSigningPki } from '@incusos/host-emulated';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { ReleasePublisher } from '@incusos/images/testing';
import { createLogger, DomainError } from '@incusos/service';
import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { fetchLimits } from '../feed/fetch-file.ts';
import { ImagesProvider } from './images-provider.ts';
import { MachineIdentity, type SecurityClient } from './machine-identity.ts';

const registration = { machine_id: 'f00d', token: 'secret', public_key: 'PEM', initial: 'first' };
const signal = new AbortController().signal;

let directory: string;
let host: Host;
let publisher: ReleasePublisher;
let tokens: number;
let channel: string;

const security: SecurityClient = {
  generateRegistration: ({ token }) => Promise.resolve({ registration: { ...registration, token } }),
  generateToken: () => {
    tokens += 1;
    return Promise.resolve({ token: `token-${tokens}` });
  },
};

function provider(config: Record<string, string> = {}, identity = security): ImagesProvider {
  const logger = createLogger('update');
  logger.silent = true;
  return new ImagesProvider(
    { server_url: `${publisher.url}/os/`, ...config },
    {
      host,
      logger,
      identity: new MachineIdentity(identity),
      limits: { ...fetchLimits, pauseMs: 1 },
      channel: () => channel,
    },
  );
}

async function publish(versions: readonly string[], channels: readonly string[] = ['stable']): Promise<void> {
  await publisher.publish(versions.map((version) => ({ version, channels })));
  publisher.server.serve('/os/index.sjson', (request, response) => {
    response.writeHead(307, { Location: '/index.sjson' }).end();
    request.resume();
  });
}

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'img-'));
  const files = new LocalFiles(join(directory, 'root'));
  host = { files, programs: new LocalPrograms() };
  const pki = await ensureSigningPki(join(directory, 'pki'));
  const authorities = new LocalFiles('/');
  await files.writeAtomic('/usr/lib/incus-os/trust/root.pem', await authorities.readText(pki.root));
  await files.writeAtomic('/usr/lib/incus-os/trust/update.pem', await authorities.readText(pki.updateCa));
  await files.writeAtomic('/usr/lib/os-release', 'NAME="IncusOS"\nIMAGE_VERSION="202511041601"\n');
  publisher = await ReleasePublisher.start(directory);
});

afterAll(async () => {
  await publisher.close();
  await rm(directory, { recursive: true, force: true });
});

beforeEach(() => {
  publisher.server.clear();
  tokens = 0;
  channel = 'stable';
});

describe('an image server', () => {
  it('is asked once an hour, unless the cache is cleared', async () => {
    await publish(['202601010000']);
    const images = provider();
    await images.newestRelease(signal);
    await publish(['202602010000']);
    expect((await images.newestRelease(signal))?.version).toBe('202601010000');
    images.clearCache();
    expect((await images.newestRelease(signal))?.version).toBe('202602010000');
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 61 * 60 * 1000 });
    await publish(['202603010000']);
    expect((await images.newestRelease(signal))?.version).toBe('202603010000');
    vi.useRealTimers();
  });

  it('serves every channel from one index', async () => {
    await publisher.publish([
      { version: '202602010000', channels: ['testing'] },
      { version: '202601010000' },
    ]);
    const images = provider({ server_url: publisher.url });
    expect((await images.newestRelease(signal))?.version).toBe('202601010000');
    channel = 'testing';
    expect((await images.newestRelease(signal))?.version).toBe('202602010000');
    expect(publisher.server.requests).toHaveLength(1);
  });

  it('knows no machine unless it gave out a token', async () => {
    await publish(['202601010000']);
    const images = provider();
    expect(images.canRegister).toBe(false);
    await images.newestRelease(signal);
    expect(publisher.server.requests[0]?.headers['x-incusos-authentication']).toBeUndefined();
    expect(tokens).toBe(0);
  });

  it('gets a token of the machine with every request, in a header', async () => {
    await publish(['202601010000']);
    const images = provider({ token: 'secret' });
    await images.newestRelease(signal);
    images.clearCache();
    await images.newestRelease(signal);
    const asked = publisher.server.requests.filter(({ url }) => url === '/os/index.sjson');
    expect(asked.map(({ headers }) => headers['x-incusos-authentication'])).toEqual(['token-1', 'token-2']);
  });

  it('gets it in the query where it wants that', async () => {
    await publish(['202601010000']);
    await provider({ token: 'secret', authentication_by_query_param: 'True' }).newestRelease(signal);
    expect(publisher.server.requests[0]?.url).toBe('/os/index.sjson?token=token-1');
    expect(publisher.server.requests[0]?.headers['x-incusos-authentication']).toBeUndefined();
  });

  it('is told who the machine is when that registers', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    publisher.server.serve('/os/register', (request, response) => {
      request.setEncoding('utf8').on('data', resolve);
      response.end();
    });
    await provider({ token: 'secret' }).register(signal);
    expect(publisher.server.requests[0]).toMatchObject({
      method: 'POST',
      headers: { 'content-type': 'application/json', 'user-agent': 'IncusOS/202511041601' },
    });
    expect(JSON.parse(await promise)).toEqual(registration);
  });

  it('is told in the query where it wants that', async () => {
    const images = provider({ token: 'secret', authentication_by_query_param: 'true' });
    await expect(images.register(signal)).rejects.toThrow('bad HTTP response code for registration: 404');
    const url = new URL(publisher.server.requests[0]?.url ?? '', publisher.url);
    expect(url.pathname).toMatch(/^\/os\/register\/[0-9a-f-]{36}$/u);
    const sent = Buffer.from(url.searchParams.get('token') ?? '', 'base64url').toString();
    expect(JSON.parse(sent)).toEqual(registration);
    expect(url.searchParams.get('token')).not.toContain('=');
  });

  it("'s own words say why it doesn't register a machine", async () => {
    publisher.server.serve('/os/register', (_request, response) =>
      response.writeHead(400).end('token is used up'),
    );
    await expect(provider({ token: 'secret' }).register(signal)).rejects.toThrow(/^token is used up$/u);
  });

  it('is not asked when the machine has no way to say who it is', async () => {
    const unable = (): Promise<never> =>
      Promise.reject(new DomainError('NOT_IMPLEMENTED', 'no authentication'));
    const images = provider({ token: 'secret' }, { generateRegistration: unable, generateToken: unable });
    await expect(images.register(signal)).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
    await expect(images.newestRelease(signal)).rejects.toMatchObject({ reason: 'NOT_IMPLEMENTED' });
    expect(publisher.server.requests).toHaveLength(0);
  });
});
