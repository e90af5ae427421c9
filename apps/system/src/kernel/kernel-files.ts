/** The files that carry a kernel configuration over a reboot. */
import type { SystemKernelConfig } from '@incusos/contracts/system';
import { parseByteSize } from './byte-size.ts';

const blacklistFile = '/etc/modprobe.d/99-blacklist-modules.conf';
const passthroughFile = '/etc/modprobe.d/99-local-device-passthrough.conf';
const zfsFile = '/etc/modprobe.d/99-local-zfs.conf';
export const sysctlFile = '/etc/sysctl.d/99-local-sysctl.conf';

/** A backlog of 0 would drop every packet; this is the kernel's own default. */
const defaultBacklog = 1000;

/** The settings of sysctl, in the order in which they are written. */
export function sysctlSettings({ memory, network }: SystemKernelConfig): [key: string, value: string][] {
  const settings: [string, string][] = [['vm.nr_hugepages', String(memory?.persistent_hugepages ?? 0)]];
  const size = network?.buffer_size ?? 0n;
  if (size > 0n) {
    settings.push(
      ['net.ipv4.tcp_rmem', `4096 65536 ${size}`],
      ['net.ipv4.tcp_wmem', `4096 65536 ${size}`],
      ['net.core.rmem_max', String(size)],
      ['net.core.wmem_max', String(size)],
    );
  }
  const backlog = network?.netdev_max_backlog ?? 0;
  settings.push(['net.core.netdev_max_backlog', String(backlog === 0 ? defaultBacklog : backlog)]);
  const discipline = network?.queuing_discipline ?? '';
  if (discipline !== '') settings.push(['net.core.default_qdisc', discipline]);
  const algorithm = network?.tcp_congestion_algorithm ?? '';
  if (algorithm !== '') settings.push(['net.ipv4.tcp_congestion_control', algorithm]);
  settings.push(['net.ipv4.tcp_mtu_probing', network?.tcp_mtu_probing === true ? '1' : '0']);
  return settings;
}

/** Each file with its content; `undefined` means that there is none. */
export function kernelFiles(config: SystemKernelConfig): ReadonlyMap<string, string | undefined> {
  const arc = parseByteSize(config.zfs?.arc_max_size ?? '');
  const files = new Map<string, string | undefined>([
    [blacklistFile, lines(config.blacklist_modules.map((name) => `blacklist ${name}`))],
    [zfsFile, arc === 0n ? undefined : `options zfs zfs_arc_max=${arc}\n`],
    [sysctlFile, lines(sysctlSettings(config).map(([key, value]) => `${key} = ${value}`))],
  ]);
  // Without a PCI section passthrough stays as it is.
  if (config.pci !== undefined) {
    const ids = config.pci.passthrough.map(({ vendor_id, product_id }) => `${vendor_id}:${product_id}`);
    files.set(passthroughFile, ids.length === 0 ? undefined : `options vfio-pci ids=${ids.join(',')}\n`);
  }
  return files;
}

function lines(list: readonly string[]): string | undefined {
  return list.length === 0 ? undefined : `${list.join('\n')}\n`;
}
