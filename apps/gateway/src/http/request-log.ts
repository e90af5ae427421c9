/** A line in the log for every request: what changes something at info, what only reads at debug. Never a body or query. */
import type { Logger } from '@incusos/service';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { remoteOrigin } from './request-origin.ts';

/** Counts of replies since the start, by method and class of status. */
export type RequestCounts = ReadonlyMap<string, number>;

export class RequestLog {
  private readonly counted = new Map<string, number>();
  private readonly debug: boolean;

  constructor(private readonly logger: Logger) {
    this.debug = logger.isDebugEnabled();
  }

  /** Keys such as `GET 2xx`. */
  get counts(): RequestCounts {
    return this.counted;
  }

  write(request: FastifyRequest, reply: FastifyReply): void {
    const { method } = request;
    const key = `${method} ${Math.floor(reply.statusCode / 100)}xx`;
    this.counted.set(key, (this.counted.get(key) ?? 0) + 1);
    const reads = method === 'GET';
    if (reads && !this.debug) return;
    const client = remoteOrigin(request.raw)?.client;
    const path = request.url.split('?', 1)[0] ?? '';
    // Method and path are the message, because that is all that `incus admin os info` shows of a line.
    this.logger.log(reads ? 'debug' : 'info', `${method} ${path}`, {
      status: reply.statusCode,
      ms: Math.round(reply.elapsedTime),
      client: client === undefined ? 'local' : client.slice(0, 12),
      correlation_id: request.id,
    });
  }
}
