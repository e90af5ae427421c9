import { createServer } from 'node:net';

/**
 * Makes sure that the gateway will be able to listen.
 * @throws Error when another program has the port, or when it needs more rights.
 */
export async function ensurePortFree(port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      const why =
        error.code === 'EADDRINUSE'
          ? 'is in use by another program'
          : `can't be used (${error.code ?? error.message})`;
      reject(new Error(`port ${port} ${why}; choose another with --port`));
    });
    server.listen(port, '127.0.0.1', () => server.close(() => resolve()));
  });
}
