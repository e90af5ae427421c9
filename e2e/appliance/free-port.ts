/** Ports for what the tests start. */
import { createServer } from 'node:net';

/** A TCP port of loopback that is free now. */
export function freePort(): Promise<number> {
  return new Promise((found, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === 'string') reject(new Error('no port'));
        else found(address.port);
      });
    });
  });
}
