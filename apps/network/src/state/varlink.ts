/** One call of a varlink interface (varlink.org): JSON with a NUL byte at its end, over a unix socket. */
import type { Host } from '@incusos/host';
import { isObject, type JsonObject, parseJson, text } from './json.ts';

const patienceMs = 2_000;
const end = 0;

/**
 * Asks a daemon.
 * @param method with its interface, such as `io.systemd.Network.GetLLDPNeighbors`.
 * @returns the parameters of the reply.
 * @throws Error when nobody answers within 2 s, or with an error.
 */
export async function callVarlink(host: Host, socket: string, method: string): Promise<JsonObject> {
  const connection = await host.files.connect(socket);
  const timer = setTimeout(() => connection.destroy(), patienceMs);
  try {
    connection.write(`${JSON.stringify({ method })}\0`);
    const parts: Buffer[] = [];
    for await (const part of connection as AsyncIterable<Buffer>) {
      const at = part.indexOf(end);
      parts.push(at === -1 ? part : part.subarray(0, at));
      if (at !== -1) return replyOf(Buffer.concat(parts).toString('utf8'), method);
    }
    throw new Error(`${method} got no answer`);
  } finally {
    clearTimeout(timer);
    connection.destroy();
  }
}

function replyOf(answer: string, method: string): JsonObject {
  const reply = parseJson(answer, method);
  if (!isObject(reply)) throw new Error(`${method} gave no object`);
  const error = text(reply, 'error');
  if (error !== undefined) throw new Error(`${method} failed: ${error}`);
  return isObject(reply['parameters']) ? reply['parameters'] : {};
}
