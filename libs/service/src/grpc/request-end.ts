/**
 * How a stream of requests says that it is complete.
 *
 * HTTP/2 says so by closing the stream, but a call that is cancelled closes it too before it is reset, so that a caller
 * that breaks off looks for a moment as if it had sent everything. So the last message of a complete stream is an empty
 * one, and every other has to say something.
 */
import type { MethodShape, ServiceShape } from './types.ts';

/** What the empty message is read as. */
export const endOfRequests = Symbol('end of requests');

/** The empty message on its way. */
export const endMessage: Buffer = Buffer.alloc(0);

/** A definition whose streams of requests end with {@link endOfRequests}. */
export function withRequestEnd(definition: ServiceShape): ServiceShape {
  return Object.fromEntries(
    Object.entries(definition).map(([name, method]) => [
      name,
      method.requestStream ? readingEnd(method) : method,
    ]),
  );
}

function readingEnd(method: MethodShape): MethodShape {
  return {
    ...method,
    requestDeserialize: (bytes) => (bytes.length === 0 ? endOfRequests : method.requestDeserialize(bytes)),
  };
}
