import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { ImageServer } from '@incusos/images/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FetchOptions, fetchFile, fetchLimits } from './fetch-file.ts';
import { releaseTrust, trustServerAuthorities } from './trust-anchors.ts';

let directory: string;
let host: Host;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'trust-'));
  host = { files: new LocalFiles(join(directory, 'root')), programs: new LocalPrograms() };
});

afterEach(() => rm(directory, { recursive: true, force: true }));

describe('servers over HTTPS', () => {
  it('are trusted as soon as the machine trusts their authority, and not before', async () => {
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
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
      ...['-keyout', key, '-out', cert, '-subj', '/CN=loopback', '-addext', 'subjectAltName=IP:127.0.0.1'],
    ]);
    const pem = await readFile(cert, 'utf8');
    const server = await ImageServer.start({ key: await readFile(key, 'utf8'), cert: pem });
    server.serve('/', 'content');
    const options: FetchOptions = {
      userAgent: 'x',
      limits: { ...fetchLimits, attempts: 1 },
      signal: new AbortController().signal,
    };
    try {
      await trustServerAuthorities(host);
      await expect(fetchFile(new URL(server.url), options)).rejects.toThrow('certificate');
      await host.files.writeAtomic('/etc/ssl/certs/ca-certificates.crt', `# ours\n${pem}`);
      await trustServerAuthorities(host);
      expect((await fetchFile(new URL(server.url), options)).toString()).toBe('content');
    } finally {
      await server.close();
    }
  });
});

describe('signers of releases', () => {
  it('are those of the system, with the update CA replaced by the configured one', async () => {
    await host.files.writeAtomic('/usr/lib/incus-os/trust/root.pem', 'root');
    await host.files.writeAtomic('/usr/lib/incus-os/trust/update.pem', 'update');
    expect(await releaseTrust(host)).toEqual({ root: 'root', updateCa: 'update' });
    expect(await releaseTrust(host, 'other')).toEqual({ root: 'root', updateCa: 'other' });
  });

  it('are nobody on a system without certificates', async () => {
    await expect(releaseTrust(host)).rejects.toThrow("releases can't be verified");
  });
});
