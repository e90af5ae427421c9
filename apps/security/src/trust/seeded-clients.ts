/**
 * The clients that a machine is told to trust before its first boot: the client certificates that Incus is initialised
 * with, in the `incus` seed. Whoever holds one of them administers the whole Incus, and so the machine below it.
 */
import type { Host } from '@incusos/host';
import { openSeeds } from '@incusos/seeds';
import { type Logger, reasonOf } from '@incusos/service';
import type { TrustedClientRecord } from '../state/security-state.ts';
import { clientRecord } from './client-record.ts';

/** What of Incus' `InitPreseed.certificates` matters here. */
interface PreseedCertificate {
  readonly name?: unknown;
  readonly type?: unknown;
  readonly certificate?: unknown;
  readonly restricted?: unknown;
}

/** The clients of the seed, each once; what can't be used is said in the log and left out. */
export async function seededClients(host: Host, logger: Logger): Promise<TrustedClientRecord[]> {
  const clients = new Map<string, TrustedClientRecord>();
  for (const [index, certificate] of (await preseeded(host, logger)).entries()) {
    if (certificate.type !== 'client' || certificate.restricted === true) continue;
    try {
      const client = clientRecord({
        certificate: textOf(certificate.certificate),
        name: textOf(certificate.name),
        role: 'admin',
      });
      if (!clients.has(client.fingerprint)) clients.set(client.fingerprint, client);
    } catch (error) {
      logger.error('a client certificate of the incus seed is not used', {
        field: `preseed.certificates[${index}]`,
        error: reasonOf(error),
      });
    }
  }
  return [...clients.values()];
}

async function preseeded(host: Host, logger: Logger): Promise<readonly PreseedCertificate[]> {
  try {
    const seed = await openSeeds(host).read('incus');
    const list: unknown = seed?.preseed?.['certificates'];
    return Array.isArray(list) ? list.filter(isObject) : [];
  } catch (error) {
    logger.error('the incus seed is not used', { error: reasonOf(error) });
    return [];
  }
}

function isObject(value: unknown): value is PreseedCertificate {
  return typeof value === 'object' && value !== null;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
