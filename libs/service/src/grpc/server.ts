/**
 * Answers gRPC calls with the methods of Nest providers.
 *
 * Invariants: every call has a deadline and an abort signal that its handler gets; whatever a handler throws leaves
 * as a gRPC status of the one error table; a stream is read and written only as fast as the other side goes.
 */
import { randomUUID } from 'node:crypto';
import { type EventEmitter, once } from 'node:events';
import type { Server } from '@grpc/grpc-js';
import {
  type sendUnaryData,
  type ServerDuplexStream,
  type ServerReadableStream,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedHandleCall,
} from '@grpc/grpc-js';
import { DomainError } from '../errors/domain-error.ts';
import { isErrorReason } from '../errors/reasons.ts';
import { toGrpcError } from '../errors/grpc-status.ts';
import type { Logger } from '../logging/logger.ts';
import { type CallContext, runInCall } from './call-context.ts';
import { encode } from './lasting-answers.ts';
import { correlationIdKey } from './metadata-keys.ts';
import { endOfRequests, withRequestEnd } from './request-end.ts';
import type { MethodShape, ServiceShape } from './types.ts';
import { detailOf } from '../errors/error-text.ts';

/** A call without a deadline gets this one. */
const defaultDeadlineMs = 60_000;

type AnyCall =
  | ServerUnaryCall<unknown, unknown>
  | ServerReadableStream<unknown, unknown>
  | ServerWritableStream<unknown, unknown>
  | ServerDuplexStream<unknown, unknown>;

type AnyHandler = (request: unknown, context: CallContext) => unknown;

/**
 * Adds the service that `controller` answers to a server.
 * @param stopping ends the streams that would otherwise go on for as long as their reader likes.
 */
export function addController(
  server: Server,
  definition: ServiceShape,
  controller: object,
  logger: Logger,
  stopping?: AbortSignal,
): void {
  const implementation: Record<string, UntypedHandleCall> = {};
  for (const [name, method] of Object.entries(definition)) {
    const handler: unknown = Reflect.get(controller, name);
    if (typeof handler !== 'function')
      throw new Error(`${controller.constructor.name} lacks ${name} of ${method.path}`);
    implementation[name] = handle(method, handler.bind(controller) as AnyHandler, logger, stopping);
  }
  server.addService(
    withEncodedAnswers(withRequestEnd(definition)) as unknown as ServiceDefinition,
    implementation,
  );
}

/** A definition whose answers are bytes already: one that can't be encoded is an error of its call like any other. */
function withEncodedAnswers(definition: ServiceShape): ServiceShape {
  const asItIs = (bytes: Buffer): Buffer => bytes;
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [name, { ...method, responseSerialize: asItIs }]),
  );
}

function handle(
  method: MethodShape,
  handler: AnyHandler,
  logger: Logger,
  stopping: AbortSignal | undefined,
): UntypedHandleCall {
  if (method.responseStream) {
    return (call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>) => {
      const { correlationId, deadline } = contextOf(call);
      const cancelled = cancellationOf(call);
      const signal = stopping === undefined ? cancelled : AbortSignal.any([cancelled, stopping]);
      const context = { correlationId, deadline, signal };
      const request = 'request' in call ? call.request : requestsOf(call);
      void runInCall(context, async () => {
        try {
          await pump(handler(request, context) as AsyncIterable<unknown>, method, call, context.signal);
          call.end();
        } catch (error) {
          // The library's way to end a stream with a status; destroying it would send none.
          call.emit('error', statusError(error, method, context, logger));
        }
      });
    };
  }
  return (
    call: ServerUnaryCall<unknown, unknown> | ServerReadableStream<unknown, unknown>,
    callback: sendUnaryData<unknown>,
  ) => {
    const context = contextOf(call);
    const request = 'request' in call ? call.request : requestsOf(call);
    void runInCall(context, async () => {
      try {
        const answer: unknown = await handler(request, context);
        callback(null, encode(answer, method.responseSerialize));
      } catch (error) {
        callback(statusError(error, method, context, logger));
      }
    });
  };
}

/** The requests of a stream. One that its caller broke off must not look like one that came to its end. */
async function* requestsOf(
  call: ServerReadableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
): AsyncGenerator {
  let complete = false;
  try {
    for await (const request of call as AsyncIterable<unknown>) {
      if (request === endOfRequests) complete = true;
      else yield request;
    }
  } catch (error) {
    if (!call.cancelled) throw error;
  }
  if (!complete) throw new DomainError('CANCELLED', 'the caller broke off before it had sent everything');
}

async function pump(
  messages: AsyncIterable<unknown>,
  method: MethodShape,
  call: ServerWritableStream<unknown, unknown> | ServerDuplexStream<unknown, unknown>,
  signal: AbortSignal,
): Promise<void> {
  for await (const message of messages) {
    signal.throwIfAborted();
    if (!call.write(method.responseSerialize(message as never))) await once(call, 'drain', { signal });
  }
}

function contextOf(call: AnyCall): CallContext {
  const given = call.getDeadline();
  const deadline = given instanceof Date ? given : new Date(Math.min(given, Date.now() + defaultDeadlineMs));
  const id = call.metadata.get(correlationIdKey)[0];
  return {
    correlationId: typeof id === 'string' ? id : randomUUID(),
    deadline,
    get signal() {
      return cancellationOf(call);
    },
  };
}

const cancellations = new WeakMap<AnyCall, AbortSignal>();

/** Made when a handler asks for it: most calls end before anyone looks. */
function cancellationOf(call: AnyCall): AbortSignal {
  const known = cancellations.get(call);
  if (known !== undefined) return known;
  const controller = new AbortController();
  const abort = (): void => controller.abort(gaveUp());
  if (call.cancelled) abort();
  else (call as EventEmitter).once('cancelled', abort);
  cancellations.set(call, controller.signal);
  return controller.signal;
}

function gaveUp(): DomainError {
  return new DomainError('CANCELLED', 'the caller gave up');
}

function statusError(error: unknown, method: MethodShape, context: CallContext, logger: Logger): Error {
  const known = error instanceof DomainError ? error : context.signal.aborted ? gaveUp() : explained(error);
  if (known === undefined || known.reason === 'INTERNAL') {
    const detail = detailOf(error);
    logger.error('call failed unexpectedly', { method: method.path, error: detail });
  }
  const shown =
    known ??
    new DomainError(
      'INTERNAL',
      `an internal error occurred; the log has the details under ${context.correlationId}`,
    );
  return Object.assign(new Error(shown.message), toGrpcError(shown));
}

/** An error that says itself what it is to a caller, such as that of a program that failed. */
function explained(error: unknown): DomainError | undefined {
  if (!(error instanceof Error) || !('reason' in error) || typeof error.reason !== 'string') return undefined;
  return isErrorReason(error.reason)
    ? new DomainError(error.reason, error.message, { cause: error })
    : undefined;
}
