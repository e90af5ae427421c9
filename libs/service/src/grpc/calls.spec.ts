import { Server, ServerCredentials } from '@grpc/grpc-js';
import {
  type DescribeStateResponse,
  type ExportStateResponse,
  type StageImportRequest,
  StateOwnerService,
} from '@incusos/contracts/state';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DomainError } from '../errors/domain-error.ts';
import { errorReasons, type ErrorReason, httpStatus, isErrorReason } from '../errors/reasons.ts';
import { clearStaleSocket } from '../lifecycle/stale-socket.ts';
import { createLogger } from '../logging/logger.ts';
import { type CallContext, currentCall, runInCall } from './call-context.ts';
import { connectService, type ServiceConnection } from './client.ts';
import { lasting } from './lasting-answers.ts';
import { addController } from './server.ts';
import type { ServiceClient, ServiceHandlers } from './types.ts';

type Handlers = ServiceHandlers<typeof StateOwnerService>;

const unused = (): never => {
  throw new Error('not expected to be called');
};

function handlers(some: Partial<Handlers>): Handlers {
  return {
    describeState: unused,
    exportState: unused,
    stageImport: unused,
    commitImport: unused,
    abortImport: unused,
    resetState: unused,
    recoverState: unused,
    ...some,
  };
}

let directory: string;
let server: Server | undefined;
let connection: ServiceConnection | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'svc-'));
});

afterEach(() => {
  connection?.close();
  server?.forceShutdown();
  rmSync(directory, { recursive: true });
});

async function serve(some: Partial<Handlers>): Promise<ServiceClient<typeof StateOwnerService>> {
  const socket = join(directory, 's.sock');
  const started = new Server();
  server = started;
  const logger = createLogger('test');
  logger.silent = true;
  addController(started, StateOwnerService, handlers(some), logger);
  await new Promise<void>((resolve, reject) => {
    started.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
  connection = connectService('test', socket);
  return connection.use(StateOwnerService);
}

async function failureOf(call: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error;
  throw new Error(`expected a DomainError, got ${String(error)}`);
}

describe('a call to another service', () => {
  it('gets an answer that lasts as the same object, and another one once it is another', async () => {
    let read = 0;
    const answerOf = (version: number): object =>
      lasting({
        get schema_version() {
          read += 1;
          return version;
        },
        service: 'x',
        problem: undefined,
      });
    let given = answerOf(1);
    const client = await serve({ describeState: () => given as DescribeStateResponse });
    const ask = (): Promise<DescribeStateResponse> => client.describeState({}, { sameAnswer: true });
    const first = await ask();
    const encoded = read;
    expect(await ask()).toBe(first);
    expect(read).toBe(encoded);
    given = answerOf(2);
    expect((await ask()).schema_version).toBe(2);
    expect(await client.describeState({})).not.toBe(await client.describeState({}));
  });

  it('brings back the answer', async () => {
    const client = await serve({
      describeState: () => ({ service: 'x', schema_version: 3, problem: undefined }),
    });
    await expect(client.describeState({})).resolves.toMatchObject({ service: 'x', schema_version: 3 });
  });

  it.each(
    Object.keys(errorReasons)
      .filter(isErrorReason)
      .filter((reason) => reason !== 'INTERNAL'),
  )('fails with the same reason, text and fields as the handler: %s', async (reason: ErrorReason) => {
    const fields = [{ field: 'config.interfaces[0].mtu', reason: 'out of range' }];
    const client = await serve({
      resetState: () => {
        throw new DomainError(reason, 'a sentence, with ünïcode and % signs', { fields });
      },
    });
    const error = await failureOf(client.resetState({}));
    expect(error).toMatchObject({ reason, message: 'a sentence, with ünïcode and % signs', fields });
    expect(httpStatus(error.reason)).toBe(errorReasons[reason].http);
  });

  it('tells nothing of the inside of an unexpected error', async () => {
    const client = await serve({
      resetState: () => {
        throw new Error('secret /etc/path');
      },
    });
    const error = await failureOf(client.resetState({}));
    expect(error.reason).toBe('INTERNAL');
    expect(error.message).not.toContain('secret');
  });

  it('tells what an error says of itself', async () => {
    const client = await serve({
      resetState: () => {
        throw Object.assign(new Error('zpool failed with exit code 1: no such pool'), {
          reason: 'OPERATION_FAILED',
        });
      },
    });
    expect(await failureOf(client.resetState({}))).toMatchObject({
      reason: 'OPERATION_FAILED',
      message: 'zpool failed with exit code 1: no such pool',
    });
  });

  it('tells nothing of an error that speaks of reasons in words of its own', async () => {
    const client = await serve({
      resetState: () => {
        throw Object.assign(new Error('secret'), { reason: 'because' });
      },
    });
    expect(await failureOf(client.resetState({}))).toMatchObject({ reason: 'INTERNAL' });
  });

  it('tells as little when the answer cannot be sent', async () => {
    const unsendable = () => ({
      schema_version: 1,
      problem: undefined,
      get service(): string {
        throw new Error('secret /etc/path');
      },
    });
    const client = await serve({ describeState: unsendable });
    const error = await failureOf(client.describeState({}));
    expect(error.reason).toBe('INTERNAL');
    expect(error.message).toMatch(/^an internal error occurred; the log has the details under /u);
  });

  it('is unavailable, in a sentence that names the service, when nobody listens', async () => {
    const lost = connectService('storage', join(directory, 'nobody.sock'));
    const error = await failureOf(lost.use(StateOwnerService).resetState({}));
    lost.close();
    expect(error).toMatchObject({
      reason: 'UNAVAILABLE',
      message: 'the storage service is not available right now, try again',
    });
  });

  it('is unavailable when the service ends in the middle of it', async () => {
    const { promise: begun, resolve } = Promise.withResolvers<undefined>();
    const client = await serve({
      resetState: () => {
        resolve(undefined);
        return new Promise(() => undefined);
      },
    });
    const failure = failureOf(client.resetState({}));
    await begun;
    server?.forceShutdown();
    expect(await failure).toMatchObject({
      reason: 'UNAVAILABLE',
      message: 'the test service is not available right now, try again',
    });
  });

  it('works again once the service is back on its socket', async () => {
    const client = await serve({ resetState: () => ({}) });
    await client.resetState({});
    server?.forceShutdown();
    await failureOf(client.resetState({}));
    const socket = join(directory, 's.sock');
    await clearStaleSocket(socket);
    const second = new Server();
    server = second;
    addController(second, StateOwnerService, handlers({ resetState: () => ({}) }), createLogger('test'));
    await new Promise<void>((resolve) =>
      second.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => resolve()),
    );
    await expect.poll(() => client.resetState({}), { timeout: 20_000 }).toEqual({});
  });

  it('ends at its deadline, and the handler is told', async () => {
    let told: Promise<unknown> = Promise.resolve();
    const client = await serve({
      resetState: (_request, { signal }) => {
        told = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        return new Promise(() => undefined);
      },
    });
    const error = await failureOf(client.resetState({}, { timeoutMs: 200 }));
    expect(error.reason).toBe('TIMED_OUT');
    await told;
  });

  it('is cancelled with its signal, and the handler is told', async () => {
    const stop = new AbortController();
    let told: Promise<unknown> = Promise.resolve();
    const client = await serve({
      resetState: (_request, { signal }) => {
        told = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
        stop.abort();
        return new Promise(() => undefined);
      },
    });
    const error = await failureOf(client.resetState({}, { signal: stop.signal }));
    expect(error.reason).toBe('CANCELLED');
    await told;
  });

  it('carries the correlation id on, and never waits longer than the call it is made for', async () => {
    const seen: CallContext[] = [];
    const client = await serve({
      resetState: () => {
        const call = currentCall();
        if (call !== undefined) seen.push(call);
        return {};
      },
    });
    const deadline = new Date(Date.now() + 5_000);
    const outer = { correlationId: 'request-7', deadline, signal: new AbortController().signal };
    await runInCall(outer, () => client.resetState({}, { timeoutMs: 60_000 }));
    expect(seen[0]?.correlationId).toBe('request-7');
    expect(seen[0]?.deadline.getTime()).toBeLessThanOrEqual(deadline.getTime() + 1_000);
  });
});

describe('a stream', () => {
  const chunk = (index: number): ExportStateResponse => ({
    file: { name: `file-${index}`, mode: 0o600, content: Buffer.alloc(32 * 1024, index % 256), last: true },
  });

  it('delivers every message in order', async () => {
    const client = await serve({
      async *exportState() {
        for (let index = 0; index < 50; index += 1) yield chunk(index);
      },
    });
    const names: string[] = [];
    for await (const { file } of client.exportState({})) names.push(file?.name ?? '');
    expect(names).toEqual(Array.from({ length: 50 }, (_value, index) => `file-${index}`));
  });

  it('is produced only as fast as it is read', async () => {
    let produced = 0;
    const client = await serve({
      async *exportState() {
        for (; produced < 2_000; produced += 1) yield chunk(produced);
      },
    });
    const stream = client.exportState({})[Symbol.asyncIterator]();
    await stream.next();
    await sleep(500);
    const whileReaderSlept = produced;
    await stream.return?.();
    expect(whileReaderSlept).toBeLessThan(500);
  });

  it('that fails half way brings the error after the messages before it', async () => {
    const client = await serve({
      async *exportState() {
        yield chunk(0);
        throw new DomainError('NO_SPACE', 'the disk is full');
      },
    });
    const names: string[] = [];
    const reading = (async () => {
      for await (const { file } of client.exportState({})) names.push(file?.name ?? '');
    })();
    expect(await failureOf(reading)).toMatchObject({ reason: 'NO_SPACE', message: 'the disk is full' });
    expect(names).toEqual(['file-0']);
  });

  const upload = async function* (count: number): AsyncGenerator<StageImportRequest> {
    for (let index = 0; index < count; index += 1) {
      const { file } = chunk(index);
      yield { restore_id: index === 0 ? 'r' : '', skip: [], file, schema_version: 1 };
    }
  };

  it('sent to a service arrives whole', async () => {
    let received = 0;
    const client = await serve({
      async stageImport(requests) {
        for await (const { file } of requests) received += file?.content.length ?? 0;
        return {};
      },
    });
    await client.stageImport(upload(64));
    expect(received).toBe(64 * 32 * 1024);
  });

  it('refused half way by the service ends with the service’s reason', async () => {
    const client = await serve({
      async stageImport(requests) {
        for await (const { file } of requests) {
          if (file?.name === 'file-3') throw new DomainError('INVALID_REQUEST', 'file-3 is not ours');
        }
        return {};
      },
    });
    expect(await failureOf(client.stageImport(upload(2_000)))).toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'file-3 is not ours',
    });
  });

  it('that its caller breaks off is not taken for one that came to its end', async () => {
    const { promise: outcome, resolve } = Promise.withResolvers<unknown>();
    const stop = new AbortController();
    const client = await serve({
      async stageImport(requests) {
        try {
          for await (const { restore_id } of requests) if (restore_id === 'r') stop.abort();
          resolve('came to its end');
        } catch (error) {
          resolve(error);
        }
        return {};
      },
    });
    const endless = async function* (): AsyncGenerator<StageImportRequest> {
      yield* upload(1);
      await new Promise(() => undefined);
    };
    const failure = failureOf(client.stageImport(endless(), { signal: stop.signal }));
    expect(await outcome).toMatchObject({ reason: 'CANCELLED' });
    expect((await failure).reason).toBe('CANCELLED');
  });

  it('whose source fails cancels the call and gives the source’s error', async () => {
    const client = await serve({
      async stageImport(requests) {
        const seen: StageImportRequest[] = [];
        for await (const request of requests) seen.push(request);
        return {};
      },
    });
    const broken = async function* (): AsyncGenerator<StageImportRequest> {
      yield* upload(1);
      throw new DomainError('INVALID_REQUEST', 'the archive is cut short');
    };
    expect(await failureOf(client.stageImport(broken()))).toMatchObject({
      message: 'the archive is cut short',
    });
  });
});

describe('a service that stops', () => {
  it('ends the streams that would go on for ever, with a reason', async () => {
    const stopping = new AbortController();
    const socket = join(directory, 'stop.sock');
    const started = new Server();
    server = started;
    const logger = createLogger('test');
    logger.silent = true;
    const endless = handlers({
      async *exportState(_request, { signal }) {
        yield { file: undefined };
        await new Promise((_resolve, reject) => {
          signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
        });
      },
    });
    addController(started, StateOwnerService, endless, logger, stopping.signal);
    await new Promise<void>((resolve) => {
      started.bindAsync(`unix:${socket}`, ServerCredentials.createInsecure(), () => resolve());
    });
    connection = connectService('test', socket);
    const reading = (async () => {
      for await (const message of connection.use(StateOwnerService).exportState({})) {
        expect(message).toEqual({ file: undefined });
        stopping.abort(new DomainError('UNAVAILABLE', 'the service is stopping'));
      }
    })();
    expect(await failureOf(reading)).toMatchObject({
      reason: 'UNAVAILABLE',
      message: 'the service is stopping',
    });
  });
});

describe('a socket file', () => {
  it('that a killed process left behind is removed', async () => {
    const path = join(directory, 'stale.sock');
    const left = createServer();
    await new Promise<void>((resolve) => left.listen(path, resolve));
    // What SIGKILL leaves: the file without a listener.
    const copy = join(directory, 'kept.sock');
    const { linkSync } = await import('node:fs');
    linkSync(path, copy);
    await new Promise<void>((resolve) => left.close(() => resolve()));
    expect(statSync(copy).isSocket()).toBe(true);
    await clearStaleSocket(copy);
    expect(() => statSync(copy)).toThrow();
  });

  it('gets a directory that nobody else may look into', async () => {
    await clearStaleSocket(join(directory, 'run', 'new.sock'));
    expect(statSync(join(directory, 'run')).mode & 0o777).toBe(0o700);
  });

  it('on which someone listens is left alone', async () => {
    const path = join(directory, 'live.sock');
    const live = createServer();
    await new Promise<void>((resolve) => live.listen(path, resolve));
    await expect(clearStaleSocket(path)).rejects.toThrow('already listens');
    await new Promise<void>((resolve, reject) => {
      connect(path)
        .once('connect', () => resolve())
        .once('error', reject);
    });
    live.close();
  });
});
