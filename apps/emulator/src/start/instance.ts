/** One appliance to a directory: whoever listens on its control socket runs it. */
import { createServer, type Server } from 'node:net';
import { clearStaleSocket } from '@incusos/service';
import type { Layout } from '../directory.ts';

/**
 * Claims a directory for this process.
 * @throws Error when an appliance runs there already.
 */
export async function claim(layout: Layout): Promise<Server> {
  try {
    await clearStaleSocket(layout.control);
  } catch (error) {
    throw new Error(
      `an appliance is already running in ${layout.directory}; stop it first, or choose another --dir`,
      { cause: error },
    );
  }
  const server = createServer((socket) => socket.end());
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(layout.control, resolve);
  });
  return server;
}
