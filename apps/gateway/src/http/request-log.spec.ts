import { createLogger } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { setRemoteOrigin } from './request-origin.ts';
import { RequestLog } from './request-log.ts';

function requested(method: string, url: string, statusCode: number) {
  const raw = new IncomingMessage(new Socket());
  const request = {
    method,
    url,
    id: 'id-1',
    raw,
    body: '{"secret":"password"}',
  } as unknown as FastifyRequest;
  return { raw, request, reply: { statusCode, elapsedTime: 1.6 } as unknown as FastifyReply };
}

function logger(level: string) {
  vi.stubEnv('INCUSOS_LOG_LEVEL', level);
  const made = createLogger('gateway');
  vi.unstubAllEnvs();
  made.silent = true;
  return { made, log: vi.spyOn(made, 'log') };
}

describe('the log of requests', () => {
  it('has a line for what changes something, with neither query nor body', () => {
    const { made, log } = logger('info');
    const { raw, request, reply } = requested('PUT', '/1.0/system/network?token=secret', 200);
    setRemoteOrigin(raw, { client: 'a'.repeat(64), incusPath: false });
    new RequestLog(made).write(request, reply);
    expect(log).toHaveBeenCalledWith('info', 'PUT /1.0/system/network', {
      status: 200,
      ms: 2,
      client: 'aaaaaaaaaaaa',
      correlation_id: 'id-1',
    });
  });

  it('leaves out what only reads, unless everything is wanted', () => {
    const { request, reply } = requested('GET', '/1.0', 200);
    const few = logger('info');
    new RequestLog(few.made).write(request, reply);
    expect(few.log).not.toHaveBeenCalled();
    const all = logger('debug');
    new RequestLog(all.made).write(request, reply);
    expect(all.log).toHaveBeenCalledWith('debug', 'GET /1.0', expect.objectContaining({ client: 'local' }));
  });

  it('counts replies by method and class of status', () => {
    const requests = new RequestLog(logger('error').made);
    for (const status of [200, 204, 404, 500]) {
      const { request, reply } = requested('GET', '/', status);
      requests.write(request, reply);
    }
    expect([...requests.counts]).toEqual([
      ['GET 2xx', 2],
      ['GET 4xx', 1],
      ['GET 5xx', 1],
    ]);
  });
});
