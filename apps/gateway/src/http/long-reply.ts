/**
 * The reply of an action that may take days. One that fails soon has its true status. Of any other the headers (200) are
 * sent while it goes on, and the envelope with its outcome follows: clients wait for headers only so long.
 */
import { Inject, Injectable } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { done, failure } from './envelope.ts';
import { EnvelopeFilter } from './envelope.filter.ts';

/** How long an outcome is awaited before the headers are sent. */
const headersAfterMs = 2_000;

@Injectable()
export class LongReply {
  constructor(@Inject(EnvelopeFilter) private readonly errors: EnvelopeFilter) {}

  async send(reply: FastifyReply, work: Promise<unknown>): Promise<void> {
    const { promise: soon, resolve } = Promise.withResolvers<'going on'>();
    const timer = setTimeout(() => resolve('going on'), headersAfterMs);
    try {
      if ((await Promise.race([work, soon])) !== 'going on') {
        void reply.send(done);
        return;
      }
    } finally {
      clearTimeout(timer);
    }
    reply.hijack();
    reply.raw.writeHead(200, { ...definedHeaders(reply), Connection: 'keep-alive' });
    reply.raw.flushHeaders();
    reply.raw.end(await this.outcome(reply, work));
  }

  private async outcome(reply: FastifyReply, work: Promise<unknown>): Promise<string> {
    try {
      await work;
      return done;
    } catch (error) {
      const { status, message } = this.errors.explain(error, reply.request);
      return failure(status, message);
    }
  }
}

function definedHeaders(reply: FastifyReply): Record<string, string | number | string[]> {
  return Object.fromEntries(
    Object.entries(reply.getHeaders()).flatMap(([name, value]) =>
      value === undefined ? [] : [[name, value]],
    ),
  );
}
