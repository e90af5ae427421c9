/** Certificates of servers for tests, made by the `openssl` program. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalPrograms } from '@incusos/host';

export interface Certificate {
  readonly cert: string;
  readonly key: string;
  /** What a client has to trust. */
  readonly authority: string;
}

/** @param address of the server. */
export async function certificateFor(address: string): Promise<Certificate> {
  const directory = await mkdtemp(join(tmpdir(), 'certificate-'));
  const [key, cert] = [join(directory, 'key'), join(directory, 'cert')];
  try {
    await new LocalPrograms().run([
      ...([
        'openssl',
        'req',
        '-x509',
        '-newkey',
        'ec',
        '-pkeyopt',
        'ec_paramgen_curve:P-256',
        '-nodes',
      ] as const),
      ...['-subj', `/CN=${address}`, '-addext', `subjectAltName=IP:${address}`, '-days', '2'],
      ...['-keyout', key, '-out', cert],
    ]);
    const pem = await readFile(cert, 'utf8');
    return { cert: pem, key: await readFile(key, 'utf8'), authority: pem };
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
