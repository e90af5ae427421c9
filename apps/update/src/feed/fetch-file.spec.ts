import type { IncomingMessage, ServerResponse } from 'node:http';
import { ImageServer } from '@incusos/images/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ProviderError } from '../providers/provider-error.ts';
import { type FetchLimits, fetchFile, fetchLimits } from './fetch-file.ts';

const quick: FetchLimits = { ...fetchLimits, pauseMs: 5, answerMs: 2_000, totalMs: 10_000, maxBytes: 1_000 };

let server: ImageServer;
let other: ImageServer;

beforeEach(async () => {
  server = await ImageServer.start();
  other = await ImageServer.start();
});

afterEach(() => Promise.all([server.close(), other.close()]));

function get(
  path: string,
  limits: Partial<FetchLimits> = {},
  signal = new AbortController().signal,
): Promise<Buffer> {
  return fetchFile(new URL(server.url + path), {
    userAgent: 'IncusOS/202511041601',
    credentials: { 'X-IncusOS-Authentication': 'credential' },
    limits: { ...quick, ...limits },
    signal,
  });
}

async function refusal(fetched: Promise<Buffer>): Promise<string> {
  const error: unknown = await fetched.then(
    () => 'nothing was refused',
    (reason: unknown) => reason,
  );
  if (!(error instanceof ProviderError)) throw new Error(`not a provider's error: ${String(error)}`);
  return error.message;
}

function redirect(location: string): (request: IncomingMessage, response: ServerResponse) => void {
  return (_request, response) => response.writeHead(302, { Location: location }).end();
}

describe('fetching a file', () => {
  it('says who asks', async () => {
    server.serve('/index.sjson', 'content');
    expect((await get('/index.sjson')).toString()).toBe('content');
    expect(server.requests).toHaveLength(1);
    expect(server.requests[0]?.headers).toMatchObject({
      'user-agent': 'IncusOS/202511041601',
      'x-incusos-authentication': 'credential',
    });
  });

  it('takes an answer other than 200 as final', async () => {
    expect(await refusal(get('/missing'))).toBe(
      'server failed to return expected file: it answered with status 404',
    );
    expect(server.requests).toHaveLength(1);
  });

  it('tries five times when no answer comes', async () => {
    server.serve('/broken', (request) => request.socket.destroy());
    expect(await refusal(get('/broken'))).toMatch(/^http request timed out after five seconds: /u);
    expect(server.requests).toHaveLength(5);
  });

  it('goes on when a later attempt is answered', async () => {
    server.serve('/flaky', (request, response) => {
      if (server.requests.length < 3) request.socket.destroy();
      else response.end('third');
    });
    expect((await get('/flaky')).toString()).toBe('third');
  });

  it('names the reason when nobody listens', async () => {
    const { url } = server;
    await server.close();
    const options = { userAgent: 'x', limits: quick, signal: new AbortController().signal };
    expect(await refusal(fetchFile(new URL(url), options))).toContain('ECONNREFUSED');
    server = await ImageServer.start();
  });

  it('does not wait for ever for an answer', async () => {
    server.serve('/slow', () => undefined);
    expect(await refusal(get('/slow', { answerMs: 50, attempts: 2 }))).toBe(
      'http request timed out after five seconds: no answer within 0.05 s',
    );
    expect(server.requests).toHaveLength(2);
  });

  it('does not wait for ever for the rest', async () => {
    server.serve('/drip', (_request, response) => response.writeHead(200).write('x'));
    expect(await refusal(get('/drip', { totalMs: 100 }))).toBe(
      'the server took longer than 0.1 s to send the file',
    );
  });

  it('refuses a file that says it is too large, and one that only is', async () => {
    server.serve('/large', 'x'.repeat(1_001));
    server.serve('/endless', (_request, response) => {
      const send = (): void => {
        while (!response.destroyed && response.write('x'.repeat(500)));
        if (!response.destroyed) response.once('drain', send);
      };
      response.writeHead(200);
      send();
    });
    for (const path of ['/large', '/endless']) {
      expect(await refusal(get(path))).toBe("the server's file is larger than 1000 bytes");
    }
  });

  it('stops when its caller gives up', async () => {
    server.serve('/slow', () => undefined);
    const caller = new AbortController();
    const fetched = get('/slow', {}, caller.signal);
    caller.abort(new Error('enough'));
    await expect(fetched).rejects.toThrow('enough');
  });

  it('follows a redirect, and leaves the credentials behind', async () => {
    other.serve('/there', 'content');
    server.serve('/here', redirect(`${other.url}/there`));
    expect((await get('/here')).toString()).toBe('content');
    expect(other.requests[0]?.headers['x-incusos-authentication']).toBeUndefined();
    expect(other.requests[0]?.headers['user-agent']).toBe('IncusOS/202511041601');
  });

  it.each([
    ['round and round', '/here', 'it redirected more than 5 times'],
    ['to nowhere', 'http://', 'it redirected to nowhere'],
    ['to a file', 'file:///etc/passwd', 'it redirected to an unencrypted place'],
  ])('does not follow %s', async (_name, location, why) => {
    server.serve('/here', redirect(location));
    expect(await refusal(get('/here'))).toBe(`server failed to return expected file: ${why}`);
  });
});
