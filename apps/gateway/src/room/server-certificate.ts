/**
 * The key and certificate that the gateway shows, files of its own state directory: `server.key` (mode 0600) and
 * `server.crt`, made on the first start. Whoever puts others there before a start has them used.
 */
import { randomUUID } from 'node:crypto';
import { mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ServerIdentity } from '../listeners/https-listener.ts';

/** The directory of the gateway's own files: `/var/lib/incus-os/gateway`, or what `INCUSOS_GATEWAY_DIR` says. */
export function gatewayDirectory(): string {
  return process.env['INCUSOS_GATEWAY_DIR'] ?? '/var/lib/incus-os/gateway';
}

/**
 * The server's identity, made first if there is none.
 * @throws Error when only one of the two files is there.
 */
export async function serverIdentity(directory: string): Promise<ServerIdentity> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const [certificate, key] = await Promise.all([
    readIfThere(join(directory, 'server.crt')),
    readIfThere(join(directory, 'server.key')),
  ]);
  if (certificate !== undefined && key !== undefined) return { certificate, key };
  if (certificate !== undefined) {
    throw new Error(
      'the gateway has a certificate (server.crt) but not its key (server.key): put the key beside it or remove the certificate',
    );
  }
  const { selfSigned } = await import('./self-signed.ts');
  const made = await selfSigned(key);
  // The key first: a certificate without one would be refused at the next start, a key without one gets one.
  if (key === undefined) await writeFileAtomic(directory, 'server.key', made.key, 0o600);
  await writeFileAtomic(directory, 'server.crt', made.certificate, 0o644);
  return made;
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function writeFileAtomic(directory: string, name: string, text: string, mode: number): Promise<void> {
  const temporary = join(directory, `.${name}.${randomUUID()}`);
  try {
    const file = await open(temporary, 'wx', mode);
    try {
      await file.writeFile(text);
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, join(directory, name));
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  const parent = await open(directory);
  try {
    await parent.sync();
  } finally {
    await parent.close();
  }
}
