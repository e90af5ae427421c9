/**
 * Replies that are sent while they are made. The first part is awaited before the headers, so that what fails at once
 * is an ordinary error; what fails later breaks the connection, as the client could not tell it from the end otherwise.
 */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { successList } from './envelope.ts';

/** Sends bytes, such as a backup's archive. */
export async function sendBytes(
  reply: FastifyReply,
  type: string,
  chunks: AsyncIterable<{ chunk: Uint8Array }>,
): Promise<void> {
  const begun = await begin(chunks);
  void reply.header('content-type', type).send(Readable.from(bytesOf(begun), { objectMode: false }));
}

/** Sends an envelope whose metadata is a list of `items`, each JSON text. */
export async function sendList(reply: FastifyReply, items: AsyncIterable<string>): Promise<void> {
  const begun = await begin(items);
  void reply.send(Readable.from(successList(begun), { objectMode: false }));
}

async function* bytesOf(chunks: AsyncIterable<{ chunk: Uint8Array }>): AsyncGenerator<Uint8Array> {
  for await (const { chunk } of chunks) yield chunk;
}

/** Waits for the first item of `items` and gives them all. */
async function begin<T>(items: AsyncIterable<T>): Promise<AsyncIterable<T>> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  return (async function* () {
    try {
      for (let next = first; next.done !== true; next = await iterator.next()) yield next.value;
    } finally {
      await iterator.return?.();
    }
  })();
}
