/** Fastify, set up for this API: its own body handling, envelope headers, and a call context for each request. */
import type { RequestListener, Server } from 'node:http';
import { runInCall } from '@incusos/service';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { forAnotherMember } from './cluster-target.ts';
import { failure } from './envelope.ts';
import { readBodies } from './request-body.ts';
import { callOf } from './request-call.ts';
import { requestId } from './request-id.ts';
import type { RequestLog } from './request-log.ts';

/** A name in a path; no add-on or application has one nearly as long. */
const maxParamLength = 256;

/**
 * The HTTP adapter. It listens nowhere: `createServer` gets the handler of all requests and gives the server that
 * Fastify takes for its own.
 */
export function createHttpAdapter(
  createServer: (handler: RequestListener) => Server,
  log: RequestLog,
): FastifyAdapter {
  const adapter = new FastifyAdapter({
    serverFactory: (handler: RequestListener) => createServer(handler),
    genReqId: requestId,
    exposeHeadRoutes: false,
    routerOptions: { maxParamLength },
    // No route has a schema; without these, Fastify loads the compilers for them.
    schemaController: { compilersFactory: { buildValidator: noCompiler, buildSerializer: noCompiler } },
    // No middleware of Express' kind runs here.
    skipMiddie: true,
    multipart: false,
    forceCloseConnections: false,
    // The router's own refusals, which reach no route and no filter.
    frameworkErrors: (error: FastifyError, _request: FastifyRequest, reply: FastifyReply) => {
      const tooLong = error.code === 'FST_ERR_MAX_PARAM_LENGTH';
      const [status, message] = tooLong
        ? ([404, 'not found'] as const)
        : ([400, 'the request path is not valid'] as const);
      void reply
        .code(status)
        .headers({ 'content-type': 'application/json', 'x-content-type-options': 'nosniff' })
        .send(failure(status, message));
    },
  });
  const instance = adapter.getInstance();
  readBodies(instance);
  instance.addHook('onRequest', (request, reply, next) => {
    reply.headers({
      'content-type': 'application/json',
      'x-content-type-options': 'nosniff',
      'x-request-id': request.id,
    });
    // Replies are JSON text already, and their content type is to stay as it is.
    reply.serializer(asItIs);
    const elsewhere = forAnotherMember(request);
    if (elsewhere !== undefined) {
      void reply.code(404).send(failure(404, elsewhere));
      return;
    }
    runInCall(callOf(request, reply), next);
  });
  instance.addHook('onResponse', (request, reply, next) => {
    log.write(request, reply);
    next();
  });
  return adapter;
}

function noCompiler(): never {
  throw new Error('routes of this API have no schema');
}

function asItIs(payload: string): string {
  return payload;
}
