/** Connections to Valkey over its unix socket. Each reconnects by itself for as long as it isn't closed. */
import type { Redis } from 'ioredis';

/** A local server is there or not: trying often is cheap, and being back soon matters. */
const retryStrategy = (attempt: number): number => Math.min(100 * attempt, 1000);

/** For whoever puts jobs in: a command fails at once when the server is gone, and after 5 s when it doesn't answer. */
export async function openProducerClient(socket: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  return new Redis({
    path: socket,
    retryStrategy,
    enableOfflineQueue: false,
    autoResendUnfulfilledCommands: false,
    maxRetriesPerRequest: 0,
    commandTimeout: 5_000,
    disableClientInfo: true,
  });
}

/** For the worker, whose commands wait until the server is back; BullMQ insists on that. */
export async function openWorkerClient(socket: string): Promise<Redis> {
  const { Redis } = await import('ioredis');
  return new Redis({ path: socket, retryStrategy, maxRetriesPerRequest: null, disableClientInfo: true });
}
