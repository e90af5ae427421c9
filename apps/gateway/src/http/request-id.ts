import { randomUUID } from 'node:crypto';
import type { IncomingMessage } from 'node:http';

/** What we take over from a client into our log. */
const acceptable = /^[\w.:-]{1,64}$/;

/** The id that a request has in every log line and hop: the client's own `X-Request-Id`, or a new one. */
export function requestId(request: IncomingMessage): string {
  const given = request.headers['x-request-id'];
  return typeof given === 'string' && acceptable.test(given) ? given : randomUUID();
}
