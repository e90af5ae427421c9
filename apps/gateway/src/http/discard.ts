import type { IncomingMessage } from 'node:http';

/** A client that sends more than this after it was refused is cut off. */
export const patienceBytes = 64 * 1024 * 1024;

/**
 * Reads what a client still sends and forgets it, since most clients look at a reply only after they sent everything.
 */
export function discardRest(request: IncomingMessage): void {
  let discarded = 0;
  request.on('error', () => undefined);
  request.on('data', (chunk: Buffer) => {
    discarded += chunk.length;
    if (discarded > patienceBytes) request.destroy();
  });
  request.resume();
}
