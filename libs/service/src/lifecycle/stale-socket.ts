import { chmod, mkdir, rm, stat } from 'node:fs/promises';
import { connect } from 'node:net';
import { dirname } from 'node:path';

/**
 * Removes the socket file that a killed process left behind. The directory is made if there is none, for its owner only.
 * @throws Error when someone still listens on it.
 */
export async function clearStaleSocket(path: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const exists = await stat(path).then(
    () => true,
    () => false,
  );
  if (!exists) return;
  if (await someoneListens(path)) throw new Error(`another process already listens on ${path}`);
  await rm(path, { force: true });
}

/** Lets owner and group use a socket, and nobody else. */
export async function restrictSocket(path: string, mode = 0o660): Promise<void> {
  await chmod(path, mode);
}

function someoneListens(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}
