/** Credentials by Kerberos for all servers that want it; the library is loaded when the first of them is used. */
import type { Host } from '@incusos/host';
import type { Credentials, Kerberos } from '../upstream/credentials.ts';
import type { Hop } from '../upstream/connect.ts';
import { krb5Configuration, realmsWithoutRecords, type RealmHost } from './configuration.ts';
import { Negotiate } from './negotiate.ts';

const configurationName = 'krb5.conf';

/**
 * @param directory for the library's configuration, which holds no secret.
 * @returns makes the credentials for one server.
 */
export function kerberosCredentials(
  { files }: Host,
  directory: string,
): (server: Hop, kerberos: Kerberos) => Credentials {
  const hosts: RealmHost[] = [];
  const realms = new Set<string>();
  const path = `${directory}/${configurationName}`;
  // What the process is started with comes first.
  const own = process.env['KRB5_CONFIG'];
  process.env['KRB5_CONFIG'] = own === undefined ? files.resolve(path) : `${own}:${files.resolve(path)}`;
  const prepare = async (): Promise<void> => {
    const direct = await realmsWithoutRecords([...realms]);
    await files.writeAtomic(path, krb5Configuration(hosts, direct), { mode: 0o600 });
  };
  return ({ name, host }, { realm, principal, password }) => {
    hosts.push({ realm, host });
    realms.add(realm).add(principal.slice(principal.lastIndexOf('@') + 1));
    const gss = async () => (await import('./gssapi.ts')).openGss();
    return new Negotiate({ server: name, host, principal, password, prepare, gss });
  };
}
