/** The unix socket, on which access to the file is the permission. */
import { createServer, type RequestListener, type Server } from 'node:http';
import { clearStaleSocket, restrictSocket } from '@incusos/service';
import { applyLimits, httpLimits } from './http-limits.ts';

/** The HTTP server of the local socket, not yet listening. */
export function createLocalServer(handler: RequestListener): Server {
  const server = createServer(httpLimits, handler);
  applyLimits(server);
  return server;
}

/** Listens on `path` with mode 0660; the file of a killed predecessor is replaced. */
export async function listenLocally(server: Server, path: string): Promise<void> {
  await clearStaleSocket(path);
  const before = process.umask(0o117);
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(path, () => {
        server.removeListener('error', reject);
        resolve();
      });
    });
  } finally {
    process.umask(before);
  }
  await restrictSocket(path);
}
