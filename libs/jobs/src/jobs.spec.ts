import 'reflect-metadata';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { Module } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { createLogger, currentCall, DomainError, type Logger, runInCall } from '@incusos/service';
import type { JobContext } from './job-kind.ts';
import { type Jobs, openJobs } from './jobs.ts';
import { ValkeyServer } from './testing/valkey-server.ts';

let server: ValkeyServer;
let logger: Logger;
let opened: Jobs[];

beforeEach(async () => {
  server = await ValkeyServer.create();
  logger = createLogger('storage');
  logger.silent = true;
  opened = [];
});

afterEach(async () => {
  await Promise.all(opened.map(async (jobs) => jobs.onModuleDestroy()));
  await server.remove();
});

function open(): Jobs {
  const jobs = openJobs({ service: 'storage', logger, socket: server.socket, startDelayMs: 0 });
  opened.push(jobs);
  return jobs;
}

async function running(jobs: Jobs): Promise<void> {
  jobs.onApplicationBootstrap();
  await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
}

async function finished(jobs: Jobs, id: string): Promise<void> {
  await vi.waitUntil(async () => ['succeeded', 'failed'].includes((await jobs.find(id))?.state ?? ''), {
    timeout: 30_000,
    interval: 50,
  });
}

describe('jobs', () => {
  test('are done with their data, show their progress and are remembered', async () => {
    await server.start();
    const jobs = open();
    const { promise: held, resolve: release } = Promise.withResolvers<undefined>();
    const scrub = jobs.handle('scrub-pool', async ({ data, progress }: JobContext<{ pool: string }>) => {
      progress({ percent: 40, message: `scrubbing ${data.pool}` });
      await held;
    });
    await running(jobs);
    const id = await scrub.start({ pool: 'tank' });
    await vi.waitUntil(async () => (await jobs.find(id))?.progress.percent === 40, {
      timeout: 30_000,
      interval: 20,
    });
    expect(await jobs.find(id)).toMatchObject({
      name: 'scrub-pool',
      state: 'running',
      data: { pool: 'tank' },
      progress: { message: 'scrubbing tank' },
    });
    release(undefined);
    await finished(jobs, id);
    expect(await jobs.list()).toMatchObject([{ id, state: 'succeeded' }]);
    expect(await jobs.find('4711')).toBeUndefined();
  });

  test('that fail say why in a sentence, and nothing about our insides', async () => {
    await server.start();
    const jobs = open();
    const known = jobs.handle('known', () =>
      Promise.reject(new DomainError('OPERATION_FAILED', 'the drive does not answer')),
    );
    const unknown = jobs.handle('unknown', () => Promise.reject(new Error('/var/lib/secret.ts:5 exploded')));
    await running(jobs);
    const first = await known.start(undefined);
    const second = await unknown.start(undefined);
    await Promise.all([finished(jobs, first), finished(jobs, second)]);
    expect((await jobs.find(first))?.error).toBe('the drive does not answer');
    expect((await jobs.find(second))?.error).toBe('an internal error occurred; the log has the details');
  });

  test('are part of the request that asked for them', async () => {
    await server.start();
    const jobs = open();
    let seen: string | undefined;
    const kind = jobs.handle('look', () => {
      seen = currentCall()?.correlationId;
      return Promise.resolve();
    });
    await running(jobs);
    const call = {
      correlationId: 'abc',
      deadline: new Date(Date.now() + 60_000),
      signal: new AbortController().signal,
    };
    await finished(jobs, await runInCall(call, () => kind.start(undefined)));
    expect(seen).toBe('abc');
  });

  test('asked for twice with one key are done once while the first is unfinished', async () => {
    await server.start();
    const jobs = open();
    const releases: (() => void)[] = [];
    const kind = jobs.handle('scrub-pool', () => new Promise<void>((resolve) => releases.push(resolve)));
    await running(jobs);
    const first = await kind.start({ pool: 'tank' }, { once: 'tank' });
    await vi.waitUntil(() => releases.length === 1, { timeout: 30_000 });
    expect(await kind.start({ pool: 'tank' }, { once: 'tank' })).toBe(first);
    const other = await kind.start({ pool: 'pond' }, { once: 'pond' });
    expect(other).not.toBe(first);
    await vi.waitUntil(() => releases.length === 2, { timeout: 30_000 });
    for (const release of releases) release();
    await Promise.all([finished(jobs, first), finished(jobs, other)]);
    const again = await kind.start({ pool: 'tank' }, { once: 'tank' });
    expect(again).not.toBe(first);
    await vi.waitUntil(() => releases.length === 3, { timeout: 30_000 });
    releases[2]?.();
  });

  test('that nobody knows how to do fail instead of waiting for ever', async () => {
    await server.start();
    const old = open();
    let begun = false;
    const retired = old.handle('retired', ({ signal }) => {
      begun = true;
      return new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    });
    await running(old);
    const id = await retired.start(undefined);
    await vi.waitUntil(() => begun, { timeout: 30_000 });
    await old.onModuleDestroy();
    const jobs = open();
    await running(jobs);
    await finished(jobs, id);
    expect((await jobs.find(id))?.error).toBe("nothing here does the job 'retired'");
  });

  test('have one handler each', () => {
    const jobs = open();
    jobs.handle('scrub-pool', () => Promise.resolve());
    expect(() => jobs.handle('scrub-pool', () => Promise.resolve())).toThrow('has a handler already');
    expect(() => jobs.handle('Scrub:Pool', () => Promise.resolve())).toThrow('is no name for a job');
  });

  test('do not take secrets into the queue', async () => {
    const kind = open().handle('encrypt', () => Promise.resolve());
    await expect(kind.start({ key: 'hunter2' })).rejects.toThrow('data.key');
    await expect(kind.schedule('nightly', { cron: '0 4 * * *' }, { password: 'x' })).rejects.toThrow(
      'data.password',
    );
  });
});

describe('in a Nest application', () => {
  test('the queue opens after the start and closes with the application', async () => {
    await server.start();
    const token = Symbol('jobs');
    class JobsModule {}
    Module({ providers: [{ provide: token, useFactory: open }] })(JobsModule);
    const app = await NestFactory.createApplicationContext(JobsModule, { logger: false });
    const jobs = app.get<Jobs>(token);
    await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
    await app.close();
    expect(jobs.available).toBe(false);
  });
});

describe('stopping', () => {
  test('puts an interrupted job back, and the next process does it', async () => {
    await server.start();
    const first = open();
    let begun = 0;
    const kind = first.handle('long', ({ signal }) => {
      begun += 1;
      return new Promise<void>((_resolve, reject) =>
        signal.addEventListener('abort', () => reject(new Error('stopped'))),
      );
    });
    await running(first);
    const id = await kind.start(undefined);
    await vi.waitUntil(() => begun === 1, { timeout: 30_000 });
    await first.onModuleDestroy();
    const second = open();
    second.handle('long', () => {
      begun += 1;
      return Promise.resolve();
    });
    await running(second);
    await finished(second, id);
    expect(begun).toBe(2);
    expect((await second.find(id))?.state).toBe('succeeded');
  });

  test('does not wait for a job that will not stop, nor for a server that is not there', async () => {
    await server.start();
    const stubborn = open();
    let begun = false;
    const kind = stubborn.handle('stubborn', () => {
      begun = true;
      return new Promise<void>(() => undefined);
    });
    await running(stubborn);
    await kind.start(undefined);
    await vi.waitUntil(() => begun, { timeout: 30_000 });
    await stubborn.onModuleDestroy();
    await server.kill();
    const lonely = open();
    lonely.onApplicationBootstrap();
    await expect(lonely.list()).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await lonely.onModuleDestroy();
  });
});

describe('without Valkey', () => {
  test('asking for a job or about jobs fails and says so, and a schedule is taken', async () => {
    const jobs = open();
    const kind = jobs.handle('scrub-pool', () => Promise.resolve());
    jobs.onApplicationBootstrap();
    const unavailable = {
      reason: 'UNAVAILABLE',
      message: expect.stringContaining('the job queue is not available right now') as string,
    };
    await expect(kind.start({ pool: 'tank' })).rejects.toMatchObject(unavailable);
    await expect(jobs.find('1')).rejects.toMatchObject(unavailable);
    await kind.schedule('scrub', { cron: '0 4 * * 0' }, {});
    expect(jobs.available).toBe(false);
    await server.start();
    await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
    await vi.waitUntil(async () => (await jobs.list()).length === 1, { timeout: 30_000 });
    await finished(jobs, await kind.start({ pool: 'tank' }));
  });

  test('a job asked for right at the start is not refused because the first connection is still under way', async () => {
    await server.start();
    const jobs = open();
    const kind = jobs.handle('early', () => Promise.resolve());
    await finished(jobs, await kind.start(undefined));
  });

  test('killed and back empty, schedules are there again and jobs are done again', async () => {
    await server.start();
    const jobs = open();
    const done: unknown[] = [];
    const kind = jobs.handle('tick', ({ data }) => {
      done.push(data);
      return Promise.resolve();
    });
    await kind.schedule('nightly', { cron: '0 4 * * *', timezone: 'Europe/Vienna' }, { of: 'nightly' });
    await running(jobs);
    for (const round of [1, 2]) {
      await server.kill();
      await vi.waitUntil(() => !jobs.available, { timeout: 30_000 });
      await expect(kind.start({ round })).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
      await server.start();
      await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
      await vi.waitUntil(
        async () =>
          (await jobs.list()).some(
            ({ data, state }) => state === 'scheduled' && (data as { of?: string }).of === 'nightly',
          ),
        {
          timeout: 30_000,
        },
      );
      await finished(jobs, await kind.start({ round }));
    }
    expect(done).toEqual([{ round: 1 }, { round: 2 }]);
  });

  test('killed while a job runs, the service goes on and does the next job once it is back', async () => {
    await server.start();
    const jobs = open();
    const releases: (() => void)[] = [];
    const kind = jobs.handle('long', ({ progress }) => {
      progress({ percent: 1 });
      return new Promise<void>((resolve) => releases.push(resolve));
    });
    const quick = jobs.handle('quick', () => Promise.resolve());
    await running(jobs);
    await kind.start(undefined);
    await vi.waitUntil(() => releases.length === 1, { timeout: 30_000 });
    await server.kill();
    await vi.waitUntil(() => !jobs.available, { timeout: 30_000 });
    releases[0]?.();
    await server.start();
    await vi.waitUntil(() => jobs.available, { timeout: 30_000 });
    await finished(jobs, await quick.start(undefined));
  });
});

describe('schedules', () => {
  test('are done when their time comes', async () => {
    await server.start();
    const jobs = open();
    const times: number[] = [];
    const kind = jobs.handle('tick', () => {
      times.push(Date.now());
      return Promise.resolve();
    });
    // Six fields: the first one is seconds.
    await kind.schedule('every-second', { cron: '* * * * * *' }, {});
    await running(jobs);
    await vi.waitUntil(() => times.length >= 2, { timeout: 30_000 });
  });

  test('of this process replace what an earlier one left in the queue', async () => {
    await server.start();
    const before = open();
    const old = before.handle('tick', () => Promise.resolve());
    await old.schedule('gone', { cron: '0 1 * * *' }, { of: 'gone' });
    await old.schedule('changed', { cron: '0 2 * * *' }, { of: 'old' });
    await running(before);
    await vi.waitUntil(async () => (await before.list()).length === 2, { timeout: 30_000 });
    await before.onModuleDestroy();
    const now = open();
    const kind = now.handle('tick', () => Promise.resolve());
    await kind.schedule('changed', { cron: '0 3 * * *' }, { of: 'new' });
    await running(now);
    await vi.waitUntil(async () => (await now.list()).length === 1, { timeout: 30_000 });
    expect((await now.list()).map(({ data }) => data)).toEqual([{ of: 'new' }]);
    await now.unschedule('changed');
    expect(await now.list()).toEqual([]);
  });

  test('that make no sense are refused', async () => {
    const kind = open().handle('tick', () => Promise.resolve());
    for (const when of [
      { cron: 'hello' },
      { cron: '99 * * * *' },
      { cron: '0 4 * * *', timezone: 'Atlantis/Poseidonis' },
    ]) {
      await expect(kind.schedule('x', when, {}), JSON.stringify(when)).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
      });
    }
  });
});
