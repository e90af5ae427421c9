import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { rolldown } from 'rolldown';

/**
 * Bundles programs as they ship, for tests that kill the processes they run in.
 * @param entries the sources by the name of the file to be made.
 * @returns the directory with the files, which is the caller's to remove.
 */
export async function bundlePrograms(entries: Readonly<Record<string, URL>>): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'programs-'));
  for (const [file, entry] of Object.entries(entries)) {
    const bundle = await rolldown({
      input: fileURLToPath(entry),
      platform: 'node',
      external: [/^@nestjs\/(?:websockets|microservices|platform-express)/u],
      logLevel: 'silent',
      transform: { target: 'node24', decorator: { legacy: true, emitDecoratorMetadata: true } },
    });
    await bundle.write({ file: join(directory, file), format: 'esm', codeSplitting: false, keepNames: true });
    await bundle.close();
  }
  return directory;
}
