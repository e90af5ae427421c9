/**
 * What the official client asks an Incus server about itself before it uses the appliance's API beside it. Nothing else
 * of Incus is here.
 */
import { X509Certificate } from 'node:crypto';
import { machine } from 'node:os';
import type { Environment } from '@incusos/contracts/system';
import { success } from '../http/envelope.ts';
import type { ServerIdentity } from '../listeners/https-listener.ts';

/** The self-description of https://linuxcontainers.org/incus/docs/main/rest-api/, as far as it applies. */
export function incusServer(identity: ServerIdentity, environment: Environment | undefined): string {
  return success(
    JSON.stringify({
      config: {},
      api_extensions: [],
      api_status: 'stable',
      api_version: '1.0',
      auth: 'trusted',
      public: false,
      auth_methods: ['tls'],
      environment: {
        addresses: [],
        architectures: [machine()],
        certificate: identity.certificate,
        certificate_fingerprint: fingerprintOf(identity.certificate),
        kernel: 'Linux',
        kernel_architecture: machine(),
        os_name: environment?.os_name ?? 'IncusOS',
        os_version: environment?.os_version ?? '',
        server: 'incusos',
        server_name: environment?.hostname ?? '',
        server_version: environment?.os_version ?? '',
        server_clustered: false,
      },
    }),
  );
}

function fingerprintOf(certificate: string): string {
  return new X509Certificate(certificate).fingerprint256.replaceAll(':', '').toLowerCase();
}
