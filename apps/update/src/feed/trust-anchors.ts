/** Whom this machine trusts: to sign releases, and to be the server that a name says. */
import { setDefaultCACertificates } from 'node:tls';
import type { Host } from '@incusos/host';
import { readAuthority, type Trust } from '@incusos/images';
import { ProviderError } from '../providers/provider-error.ts';

/** Part of the image of the operating system. */
const embedded = { root: '/usr/lib/incus-os/trust/root.pem', updateCa: '/usr/lib/incus-os/trust/update.pem' };

const serverAuthorities = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Whom releases have to be signed by.
 * @param updateCa PEM, in place of the system's own update CA; empty for that.
 * @throws ProviderError when the system has none.
 */
export async function releaseTrust({ files }: Host, updateCa = ''): Promise<Trust> {
  const read = (path: string): Promise<string> =>
    files.readText(path).catch((error: unknown) => {
      throw new ProviderError("releases can't be verified: this system has no certificate to trust", {
        cause: error,
      });
    });
  const [root, own] = await Promise.all([
    read(embedded.root),
    updateCa === '' ? read(embedded.updateCa) : updateCa,
  ]);
  return { root, updateCa: own };
}

/**
 * Checks a certificate that was configured.
 * @throws FeedError when it isn't one.
 */
export function checkUpdateCa(pem: string): void {
  readAuthority(pem, 'update_ca');
}

let inForce: string | undefined;

/**
 * Lets HTTPS requests of this process trust the machine's authorities, which include those that were configured, in
 * place of the ones that come with Node. They may change at any time, so this is called before requests.
 */
export async function trustServerAuthorities({ files }: Host): Promise<void> {
  const bundle = await files.readText(serverAuthorities).catch(() => undefined);
  if (bundle === undefined || bundle === inForce) return;
  const certificates = bundle.match(/-----BEGIN CERTIFICATE-----[^]+?-----END CERTIFICATE-----/gu) ?? [];
  setDefaultCACertificates(certificates);
  inForce = bundle;
}
