/** What an HTTP request carries into the calls that are made for it. */
import type { CallContext, CallOptions } from '@incusos/service';
import { currentCall, DomainError } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** Each call has a limit of its own. */
const never = new Date(8.64e15);

/** The call context of a request. Its signal aborts when the client goes away before it has its reply. */
export function callOf(request: FastifyRequest, reply: FastifyReply): CallContext {
  let signal: AbortSignal | undefined;
  return {
    correlationId: request.id,
    deadline: never,
    get signal() {
      signal ??= departureOf(reply);
      return signal;
    },
  };
}

function departureOf(reply: FastifyReply): AbortSignal {
  const controller = new AbortController();
  reply.raw.once('close', () => {
    if (!reply.raw.writableFinished) {
      controller.abort(new DomainError('CANCELLED', 'the client went away before it had its reply'));
    }
  });
  return controller.signal;
}

/**
 * Options of a call that only reads: it is given up when the client goes away. A change, once begun, is brought to its
 * end, since applying a network configuration may well cut off the client that asked for it.
 */
export function reading(options: Omit<CallOptions, 'signal'> = {}): CallOptions {
  const call = currentCall();
  return call === undefined ? options : { ...options, signal: call.signal };
}
