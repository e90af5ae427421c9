/**
 * `?target=`, by which a client names the member of a cluster that its request is for. Incus forwards such a request;
 * this server is alone, and taking it for its own would change the wrong machine.
 */
import type { FastifyRequest } from 'fastify';
import { queryValue } from './query.ts';
import { remoteOrigin } from './request-origin.ts';

/** Why a request is for another machine; undefined when it isn't. Who forwards to the local socket has chosen already. */
export function forAnotherMember(request: FastifyRequest): string | undefined {
  if (remoteOrigin(request.raw) === undefined) return undefined;
  const target = queryValue(request, 'target');
  return target === undefined
    ? undefined
    : `no cluster member called '${target}': this server isn't part of a cluster`;
}
