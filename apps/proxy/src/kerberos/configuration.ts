/**
 * What the Kerberos library is told (krb5.conf(5)): where the KDCs of the realms are that proxy servers belong to, and to
 * leave the names of proxy servers as they are configured.
 */
import { resolveSrv } from 'node:dns/promises';

export interface RealmHost {
  readonly realm: string;
  /** Of the proxy server. */
  readonly host: string;
}

/**
 * The realms that DNS names no KDC for; those are taken to be reached by the realm's own name, as with Active Directory.
 * @param principals' realms count too.
 */
export async function realmsWithoutRecords(realms: readonly string[]): Promise<string[]> {
  const found = await Promise.all(
    [...new Set(realms)].map(async (realm) => {
      for (const protocol of ['tcp', 'udp']) {
        const records = await resolveSrv(`_kerberos._${protocol}.${realm}`).catch(() => []);
        if (records.length > 0) return [];
      }
      return [realm];
    }),
  );
  return found.flat();
}

/** @param direct realms whose KDC is reached by the realm's own name. */
export function krb5Configuration(hosts: readonly RealmHost[], direct: readonly string[]): string {
  return [
    '[libdefaults]',
    'dns_lookup_kdc = true',
    'dns_lookup_realm = false',
    'dns_canonicalize_hostname = false',
    'rdns = false',
    // Tickets are larger than what fits in a datagram in most realms.
    'udp_preference_limit = 1',
    '[realms]',
    ...direct.flatMap((realm) => [`${realm} = {`, `kdc = ${realm.toLowerCase()}:88`, '}']),
    '[domain_realm]',
    ...hosts.map(({ realm, host }) => `${host.toLowerCase()} = ${realm}`),
    '',
  ].join('\n');
}
