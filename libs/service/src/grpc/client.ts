/**
 * Calls another service of ours over its unix socket. Every call has a deadline, at most the one of the call that it
 * is made for, is cancelled with it, and carries its correlation id.
 */
import { randomUUID } from 'node:crypto';
import {
  Client,
  type ClientOptions,
  type ClientReadableStream,
  type ClientWritableStream,
  credentials,
  Metadata,
  type ServiceError,
} from '@grpc/grpc-js';
import { DomainError } from '../errors/domain-error.ts';
import { fromGrpcError } from '../errors/grpc-status.ts';
import { socketPath } from '../lifecycle/sockets.ts';
import { currentCall } from './call-context.ts';
import { correlationIdKey } from './metadata-keys.ts';
import { rememberingLast } from './lasting-answers.ts';
import { endMessage } from './request-end.ts';
import type { CallOptions, MethodShape, ServiceClient, ServiceShape } from './types.ts';

/** A connection to one service, on which any of its gRPC services can be called. It reconnects by itself. */
export interface ServiceConnection {
  /** Typed methods of one gRPC service. */
  use<S extends ServiceShape>(definition: S): ServiceClient<S>;
  close(): void;
}

const defaultTimeoutMs = 30_000;

/** A local socket is there or not: waiting long before trying again helps nobody. */
const channelOptions: ClientOptions = {
  'grpc.initial_reconnect_backoff_ms': 50,
  'grpc.min_reconnect_backoff_ms': 50,
  'grpc.max_reconnect_backoff_ms': 500,
  'grpc.max_receive_message_length': 32 * 1024 * 1024,
  'grpc.enable_retries': 0,
};

/**
 * Connects to a service.
 * @param service its name, such as `network`.
 * @param socket its socket; the service's usual one unless given.
 */
export function connectService(service: string, socket = socketPath(service)): ServiceConnection {
  const client = new Client(`unix:${socket}`, credentials.createInsecure(), channelOptions);
  return {
    use: <S extends ServiceShape>(definition: S) =>
      Object.fromEntries(
        Object.entries(definition).map(([name, method]) => [name, bind(client, service, method)]),
      ) as ServiceClient<S>,
    close: () => client.close(),
  };
}

function bind(client: Client, service: string, method: MethodShape): unknown {
  // The generated definition pairs each serialiser with its own type; here only bytes matter.
  const serialize = method.requestSerialize as (value: unknown) => Buffer;
  const deserialize = method.responseDeserialize;
  if (method.requestStream && method.responseStream) {
    return (requests: AsyncIterable<unknown>, options: CallOptions = {}) => {
      const call = client.makeBidiStreamRequest(
        method.path,
        asItIs,
        deserialize,
        metadata(),
        deadline(options),
      );
      void send(requests, serialize, call).catch(() => call.cancel());
      return receive(call, service, options.signal);
    };
  }
  if (method.responseStream) {
    return (request: unknown, options: CallOptions = {}) => {
      const call = client.makeServerStreamRequest(
        method.path,
        serialize,
        deserialize,
        request,
        metadata(),
        deadline(options),
      );
      return receive(call, service, options.signal);
    };
  }
  if (method.requestStream) {
    return (requests: AsyncIterable<unknown>, options: CallOptions = {}) =>
      new Promise((resolve, reject) => {
        let sourceError: unknown;
        const call = client.makeClientStreamRequest(
          method.path,
          asItIs,
          deserialize,
          metadata(),
          deadline(options),
          (error, answer) => {
            done();
            if (sourceError !== undefined) reject(asError(sourceError));
            else if (error === null) resolve(answer);
            else reject(fromGrpcError(error, service, options.signal?.aborted));
          },
        );
        const done = cancelWith(call, options.signal);
        send(requests, serialize, call).catch((error: unknown) => {
          sourceError = error;
          call.cancel();
        });
      });
  }
  const deserializeAgain = rememberingLast(deserialize);
  return (request: unknown, options: CallOptions = {}) =>
    new Promise((resolve, reject) => {
      const call = client.makeUnaryRequest(
        method.path,
        serialize,
        options.sameAnswer === true ? deserializeAgain : deserialize,
        request,
        metadata(),
        deadline(options),
        (error, answer) => {
          done();
          if (error === null) resolve(answer);
          else reject(fromGrpcError(error, service, options.signal?.aborted));
        },
      );
      const done = cancelWith(call, options.signal);
    });
}

function metadata(): Metadata {
  const carried = new Metadata();
  carried.set(correlationIdKey, currentCall()?.correlationId ?? randomUUID());
  return carried;
}

function deadline(options: CallOptions): { deadline: Date } {
  const own = Date.now() + (options.timeoutMs ?? defaultTimeoutMs);
  const outer = currentCall()?.deadline.getTime() ?? Infinity;
  return { deadline: new Date(Math.min(own, outer)) };
}

function cancelWith(call: { cancel(): void }, signal: AbortSignal | undefined): () => void {
  if (signal === undefined) return () => undefined;
  const cancel = (): void => call.cancel();
  if (signal.aborted) cancel();
  else signal.addEventListener('abort', cancel, { once: true });
  return () => signal.removeEventListener('abort', cancel);
}

/** @param serialize of one request; one that has nothing to say is left out, since an empty message is the end. */
async function send(
  requests: AsyncIterable<unknown>,
  serialize: (request: unknown) => Buffer,
  call: ClientWritableStream<Buffer>,
): Promise<void> {
  for await (const request of requests) {
    // A call that ended early (refused, gone) takes no more; its own error says why.
    if (call.destroyed || call.writableEnded) return;
    const bytes = serialize(request);
    if (bytes.length > 0 && !call.write(bytes)) await roomOrEnd(call);
  }
  call.write(endMessage);
  call.end();
}

function asItIs(bytes: Buffer): Buffer {
  return bytes;
}

/** Waits until a call takes more, or has ended. */
function roomOrEnd(call: ClientWritableStream<Buffer>): Promise<void> {
  const events = ['drain', 'close', 'status', 'error'] as const;
  return new Promise((resolve) => {
    const go = (): void => {
      for (const event of events) call.removeListener(event, go);
      resolve();
    };
    for (const event of events) call.once(event, go);
  });
}

async function* receive(
  call: ClientReadableStream<unknown>,
  service: string,
  signal: AbortSignal | undefined,
): AsyncGenerator {
  const done = cancelWith(call, signal);
  try {
    for await (const message of call) yield message;
  } catch (error) {
    throw isServiceError(error) ? fromGrpcError(error, service, signal?.aborted) : asError(error);
  } finally {
    done();
    call.cancel();
  }
}

function isServiceError(error: unknown): error is ServiceError {
  return error instanceof Error && 'code' in error && 'metadata' in error;
}

function asError(error: unknown): Error {
  return error instanceof Error ? error : new DomainError('INTERNAL', String(error));
}
