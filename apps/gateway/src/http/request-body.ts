/**
 * Takes a request's body off the connection: as text where JSON is expected, as the stream itself where a route takes an
 * upload. Whatever content type a client claims, since many claim a wrong one or none.
 *
 * Invariants: no more than the route's limit is ever held; a body that doesn't arrive in time is given up.
 */
import { isUtf8 } from 'node:buffer';
import { IncomingMessage } from 'node:http';
import { BadRequestException, PayloadTooLargeException, RequestTimeoutException } from '@nestjs/common';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { discardRest, patienceBytes } from './discard.ts';

/** Bytes that a JSON body may have. */
export const jsonLimitBytes = 1024 * 1024;

/** Milliseconds that a JSON body may take to arrive as a whole, and that any other may pause. */
const patienceMs = 30_000;

/** What a route expects of bodies; JSON text unless said. */
export interface BodyOptions {
  readonly body?: 'stream';
}

/** Makes the body of a request its text, or for an upload the stream that it arrives on. */
export function readBodies(instance: FastifyInstance): void {
  instance.removeAllContentTypeParsers();
  // The header decides nothing here, but a malformed one would be refused.
  instance.addHook('onRequest', (request, _reply, next) => {
    delete request.raw.headers['content-type'];
    next();
  });
  instance.addContentTypeParser('*', (request, payload: IncomingMessage, next) => {
    if (request.is404) next(null, undefined);
    else if (isUpload(request)) next(null, payload);
    else readText(payload, next);
  });
}

function isUpload(request: FastifyRequest): boolean {
  return (request.routeOptions.config as BodyOptions).body === 'stream';
}

type Next = (error: Error | null, body?: string) => void;

function readText(payload: IncomingMessage, next: Next): void {
  let chunks: Buffer[] = [];
  let size = 0;
  const onData = (chunk: Buffer): void => {
    size += chunk.length;
    if (size <= jsonLimitBytes) {
      chunks.push(chunk);
      return;
    }
    // Most clients look at a reply only after they sent everything, so the rest is let in first, within reason.
    chunks = [];
    if (size > patienceBytes) finish(tooLarge());
  };
  const onEnd = (): void => {
    const bytes = Buffer.concat(chunks);
    if (size > jsonLimitBytes) finish(tooLarge());
    else if (isUtf8(bytes)) finish(null, bytes.toString('utf8'));
    else finish(new BadRequestException('the request body is not valid UTF-8'));
  };
  const onError = (): void => finish(new BadRequestException('the request body was cut short'));
  const timer = setTimeout(
    () => finish(new RequestTimeoutException('the request body did not arrive in time')),
    patienceMs,
  );
  const finish = (error: Error | null, text?: string): void => {
    clearTimeout(timer);
    payload.removeListener('data', onData).removeListener('end', onEnd);
    next(error, text);
  };
  payload.on('data', onData).on('end', onEnd).on('error', onError);
}

function tooLarge(): Error {
  return new PayloadTooLargeException(`the request body is larger than ${jsonLimitBytes} bytes`);
}

/**
 * The chunks of an upload (a body of a route that takes one), taken only as fast as they are used.
 * @param limitBytes how much it may have in all.
 * @throws PayloadTooLargeException, or RequestTimeoutException when the client stops sending.
 */
export async function* uploadChunks(upload: unknown, limitBytes = Infinity): AsyncGenerator<Buffer> {
  const stream = upload instanceof IncomingMessage ? upload : undefined;
  // A request without a body has no stream either.
  if (stream === undefined) return;
  let size = 0;
  const chunks: AsyncIterator<unknown> = stream.iterator({ destroyOnReturn: false })[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await withPatience(chunks.next());
      if (next.done === true) return;
      const chunk = next.value as Buffer;
      size += chunk.length;
      if (size > limitBytes)
        throw new PayloadTooLargeException(`the upload is larger than ${limitBytes} bytes`);
      yield chunk;
    }
  } finally {
    if (!stream.readableEnded) discardRest(stream);
  }
}

/** Waits for what the client sends next, but not for ever. What goes wrong with that is the client's mistake. */
async function withPatience<R>(chunk: Promise<R>): Promise<R> {
  const { promise: silence, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(
    () => reject(new RequestTimeoutException('the upload stopped for too long')),
    patienceMs,
  );
  try {
    return await Promise.race([chunk, silence]);
  } catch (error) {
    throw error instanceof RequestTimeoutException
      ? error
      : new BadRequestException('the upload was cut short');
  } finally {
    clearTimeout(timer);
    // Nobody waits for it any more after a timeout.
    chunk.catch(() => undefined);
  }
}
