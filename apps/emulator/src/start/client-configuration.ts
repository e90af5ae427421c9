/** A client certificate that the appliance trusts, and a configuration directory for the official client around it. */
import type { LocalFiles } from '@incusos/host';
import { TrustServiceService } from '@incusos/contracts/security';
import { connectService, DomainError } from '@incusos/service';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { Layout } from '../directory.ts';
import { makeCertificate } from './certificate.ts';

const remote = 'incusos';

/** Makes the client's certificate, once; its private key is readable by the owner only. */
export async function ensureClientCertificate(files: LocalFiles): Promise<string> {
  if ((await files.exists('/incus/client.key')) && (await files.exists('/incus/client.crt'))) {
    return files.readText('/incus/client.crt');
  }
  const { certificate, key } = await makeCertificate('incusos client');
  await files.writeAtomic('/incus/client.key', key, { mode: 0o600 });
  await files.writeAtomic('/incus/client.crt', certificate);
  return certificate;
}

/** Has the appliance trust the client; that it does already is fine. */
export async function trustClient(layout: Layout, certificate: string): Promise<void> {
  const connection = connectService('security', join(layout.run, 'security.sock'));
  try {
    await connection
      .use(TrustServiceService)
      .addTrustedClient({ name: 'incusos client', certificate, role: 'admin' });
  } catch (error) {
    if (!(error instanceof DomainError && error.reason === 'CONFLICT')) throw error;
  } finally {
    connection.close();
  }
}

/** Writes what the official client needs to reach the appliance at once: the remote, and the server's certificate. */
export async function writeClientConfiguration(
  files: LocalFiles,
  layout: Layout,
  port: number,
): Promise<void> {
  const server = await files.readText(`${layout.gateway.slice(layout.directory.length)}/server.crt`);
  const configuration = {
    'default-remote': remote,
    remotes: {
      [remote]: { addr: `https://127.0.0.1:${port}`, auth_type: 'tls', protocol: 'incus', public: false },
    },
    aliases: {},
  };
  await files.writeAtomic(`/incus/servercerts/${remote}.crt`, server);
  await files.writeAtomic('/incus/config.yml', stringify(configuration));
}
