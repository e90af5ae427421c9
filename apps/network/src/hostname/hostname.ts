/** The host's name, and the names it knows without asking anyone (hosts(5)). */
import type { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';

const fallback = 'IncusOS';

/** The configured name, else the board's UUID, else the machine id, else that of the system. */
export async function hostNameOf(host: Host, config: SystemNetworkConfig): Promise<string> {
  const { hostname = '' } = config.dns ?? {};
  if (hostname !== '') return hostname;
  const read = async (path: string): Promise<string> =>
    (await host.files.readText(path).catch(() => '')).trim();
  const names = await Promise.all([read('/sys/class/dmi/id/product_uuid'), read('/etc/machine-id')]);
  return names.find((name) => name !== '') ?? fallback;
}

/** The name that the kernel has now, and the one that is kept in hostname(5), are made the same. */
export async function setHostName(host: Host, name: string): Promise<void> {
  const present = await Promise.all(
    ['/proc/sys/kernel/hostname', '/etc/hostname'].map(async (path) =>
      (await host.files.readText(path).catch(() => '')).trim(),
    ),
  );
  if (present.some((one) => one !== name)) await host.programs.run(['hostnamectl', 'hostname', name]);
}

/** The text of `/etc/hosts`. */
export function hostsFile(name: string): string {
  return [
    '127.0.0.1 localhost',
    `127.0.1.1 ${name}`,
    '::1 localhost ip6-localhost ip6-loopback',
    'ff02::1 ip6-allnodes',
    'ff02::2 ip6-allrouters',
    '',
  ].join('\n');
}

export async function writeHosts(host: Host, name: string): Promise<void> {
  const wanted = hostsFile(name);
  if ((await host.files.readText('/etc/hosts').catch(() => '')) !== wanted)
    await host.files.writeAtomic('/etc/hosts', wanted);
}
