/** Where the services listen. */
import { join } from 'node:path';

export const serviceNames = [
  'network',
  'storage',
  'update',
  'security',
  'backup',
  'applications',
  'system',
] as const;

/** A subsystem service. */
export type ServiceName = (typeof serviceNames)[number];

/** The kernel cuts longer socket paths without a word (unix(7): `sun_path` has 108 bytes with its terminator). */
const maxSocketPathBytes = 107;

/** The directory of the sockets: `/run/incus-os`, or what `INCUSOS_RUN_DIR` says. */
export function runDirectory(): string {
  return process.env['INCUSOS_RUN_DIR'] ?? '/run/incus-os';
}

/**
 * A path that a socket can have.
 * @throws Error when it is longer than the kernel takes.
 */
export function usableSocketPath(path: string): string {
  if (Buffer.byteLength(path) > maxSocketPathBytes) {
    throw new Error(
      `socket path ${path} is longer than ${maxSocketPathBytes} bytes; choose a shorter directory`,
    );
  }
  return path;
}

/**
 * A service's socket.
 * @throws Error when its path is longer than a socket's may be.
 */
export function socketPath(service: string): string {
  return usableSocketPath(join(runDirectory(), `${service}.sock`));
}
