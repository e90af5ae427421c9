/** One appliance to a directory: whoever listens on its control socket runs it. */
import { createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { clearStaleSocket, usableSocketPath } from '@incusos/service';
import type { Layout } from '../directory.ts';

/**
 * Claims a directory for this process.
 * @throws Error when an appliance runs there already.
 */
export async function claim(layout: Layout): Promise<Server> {
  // The longest of all sockets in the directory.
  usableSocketPath(join(layout.run, 'applications.sock'));
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
