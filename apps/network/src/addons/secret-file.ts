/**
 * Secrets for a program that takes them from a file, so that they are never among its arguments, which every process of
 * the machine can read.
 */
import type { Host } from '@incusos/host';

const directory = '/run/incus-os-network';

/**
 * Keeps a secret in a file that only root can read while `use` runs.
 * @param name of the file.
 */
export async function withSecretFile<R>(
  host: Host,
  name: string,
  secret: string,
  use: (path: string) => Promise<R>,
): Promise<R> {
  const path = `${directory}/${name}`;
  await host.files.makeDirectory(directory, 0o700);
  await host.files.writeAtomic(path, `${secret}\n`, { mode: 0o600 });
  try {
    return await use(path);
  } finally {
    await host.files.remove(path);
  }
}

/** Removes what a run that was killed left behind. */
export async function removeSecretFiles(host: Host): Promise<void> {
  await host.files.remove(directory);
}

/** The text without the secret, should a program have repeated it. */
export function withoutSecret(text: string, secret: string): string {
  return secret === '' ? text : text.replaceAll(secret, '***');
}
