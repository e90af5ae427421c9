/**
 * Whether name servers have to prove who they are. systemd-resolved 257 speaks TLS to the servers of a link that says
 * `DNSOverTLS=yes`, but looks at their certificates only when its own setting says so too (systemd's pull request 41818).
 */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';

const directory = '/run/systemd/resolved.conf.d';
const file = `${directory}/60-dns-over-tls.conf`;
const content = '[Resolve]\nDNSOverTLS=yes\n';
/** Is there from before the file is changed until the resolver has read it. */
const unreadMarker = '/run/incus-os/resolver.unread';

function contentOf({ dns }: SystemNetworkConfig): string | undefined {
  return dns?.dns_over_tls === true ? content : undefined;
}

/** The resolver's file as a configuration has it. */
export function overTlsFiles(config: SystemNetworkConfig): Map<string, string | undefined> {
  return new Map([[file, contentOf(config)]]);
}

/** Has the resolver want proof, or not; it is left alone when nothing changes. */
export async function applyOverTls({ files, programs }: Host, config: SystemNetworkConfig): Promise<void> {
  const wanted = contentOf(config);
  const present = (await files.exists(file)) ? await files.readText(file) : undefined;
  if (present === wanted && !(await files.exists(unreadMarker))) return;
  await files.writeAtomic(unreadMarker, '');
  if (wanted === undefined) {
    await files.remove(file);
  } else {
    // The resolver is a user of its own.
    await files.makeDirectory(directory);
    await files.writeAtomic(file, wanted);
  }
  await programs.run(['systemctl', 'restart', 'systemd-resolved.service']);
  await files.remove(unreadMarker);
}
