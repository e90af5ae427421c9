/**
 * What makes a kernel configuration wrong, whatever else it says. Names that end up in the files of modprobe and
 * sysctl may not bring lines of their own along.
 */
import type { SystemKernelConfig } from '@incusos/contracts/system';
import { type DomainError, invalidField, reasonOf } from '@incusos/service';
import { parseByteSize } from './byte-size.ts';

/** What this machine offers; each is asked only when the configuration uses it. */
export interface KernelFacts {
  /** Congestion control algorithms of the running kernel. */
  readonly congestionAlgorithms: () => Promise<readonly string[]>;
  /** Scaling governors of the first processor; `undefined` without frequency scaling. */
  readonly governors: () => Promise<readonly string[] | undefined>;
  /** How many virtual functions a PCI device can have; `none` without SR-IOV, `undefined` when there is no such device. */
  readonly virtualFunctions: (address: string) => Promise<number | 'none' | undefined>;
  /** Bytes of memory. */
  readonly memory: () => Promise<bigint>;
}

/** The smallest cache that ZFS accepts (zfs(4), zfs_arc_max). */
const smallestArc = 64n * 1024n ** 2n;

/** @throws DomainError `INVALID_REQUEST` naming the first field that is wrong. */
export async function checkKernelConfig(config: SystemKernelConfig, facts: KernelFacts): Promise<void> {
  checkNames(config);
  checkMemory(config);
  await checkZfs(config, facts);
  await checkNetwork(config, facts);
  await checkPci(config, facts);
  await checkGovernor(config, facts);
}

function wrong(field: string, message: string): DomainError {
  return invalidField(`config.${field}`, message);
}

function checkNames(config: SystemKernelConfig): void {
  config.console.forEach(({ device, baud_rate = 0 }, index) => {
    if (!/^[A-Za-z][A-Za-z0-9]*$/u.test(device)) {
      throw wrong(`console[${index}].device`, `console device '${device}' is not the name of a tty device`);
    }
    if (baud_rate < 0) throw wrong(`console[${index}].baud_rate`, 'baud rate cannot be negative');
  });
  config.blacklist_modules.forEach((name, index) => {
    // One that begins with a dash would be an option of rmmod's.
    if (!/^[A-Za-z0-9_][A-Za-z0-9_-]*$/u.test(name)) {
      throw wrong(`blacklist_modules[${index}]`, `'${name}' is not the name of a kernel module`);
    }
  });
}

function checkMemory({ memory }: SystemKernelConfig): void {
  if (memory === undefined) return;
  if (memory.persistent_hugepages < 0) {
    throw wrong('memory.persistent_hugepages', 'persistent hugepages count cannot be negative');
  }
  checkSize(memory.zram_swap_size, 'memory.zram_swap_size');
}

function checkSize(text: string, field: string): bigint {
  try {
    return parseByteSize(text);
  } catch (error) {
    throw wrong(field, reasonOf(error));
  }
}

async function checkZfs({ zfs }: SystemKernelConfig, facts: KernelFacts): Promise<void> {
  const size = checkSize(zfs?.arc_max_size ?? '', 'zfs.arc_max_size');
  if (size === 0n) return;
  // ZFS ignores a value outside of these limits without a word.
  if (size < smallestArc)
    throw wrong('zfs.arc_max_size', 'the maximum size of the ZFS cache cannot be below 64MiB');
  if (size >= (await facts.memory())) {
    throw wrong(
      'zfs.arc_max_size',
      'the maximum size of the ZFS cache has to be smaller than the memory of the system',
    );
  }
}

async function checkNetwork({ network }: SystemKernelConfig, facts: KernelFacts): Promise<void> {
  if (network === undefined) return;
  const {
    buffer_size = 0n,
    netdev_max_backlog = 0,
    queuing_discipline = '',
    tcp_congestion_algorithm = '',
  } = network;
  if (buffer_size < 0n) throw wrong('network.buffer_size', 'buffer size cannot be negative');
  if (buffer_size > 2n ** 31n - 1n)
    throw wrong('network.buffer_size', 'buffer size cannot be above 2147483647');
  if (netdev_max_backlog < 0)
    throw wrong('network.netdev_max_backlog', 'netdev max backlog cannot be negative');
  if (queuing_discipline !== '' && !/^[a-z0-9_]+$/u.test(queuing_discipline)) {
    throw wrong(
      'network.queuing_discipline',
      `'${queuing_discipline}' is not the name of a queuing discipline`,
    );
  }
  if (tcp_congestion_algorithm === '') return;
  const available = await facts.congestionAlgorithms();
  if (!available.includes(tcp_congestion_algorithm)) {
    throw wrong(
      'network.tcp_congestion_algorithm',
      `unsupported tcp_congestion_control value, must be one of [${available.join(' ')}]`,
    );
  }
}

async function checkPci({ pci }: SystemKernelConfig, facts: KernelFacts): Promise<void> {
  const hexadecimal = /^[0-9A-Fa-f]+$/u;
  for (const [index, { vendor_id, product_id, pci_address = '' }] of (pci?.passthrough ?? []).entries()) {
    const field = `pci.passthrough[${index}]`;
    if (!hexadecimal.test(vendor_id))
      throw wrong(`${field}.vendor_id`, `Vendor ID '${vendor_id}' is invalid`);
    if (!hexadecimal.test(product_id))
      throw wrong(`${field}.product_id`, `Product ID '${product_id}' is invalid`);
    if (pci_address !== '' && !isPciAddress(pci_address)) {
      throw wrong(`${field}.pci_address`, `PCI address '${pci_address}' is invalid`);
    }
  }
  for (const [index, { pci_address, vf_count }] of (pci?.sriov ?? []).entries()) {
    const field = `pci.sriov[${index}]`;
    if (vf_count < 0) throw wrong(`${field}.vf_count`, 'SR-IOV virtual function count cannot be negative');
    const most = isPciAddress(pci_address) ? await facts.virtualFunctions(pci_address) : undefined;
    if (most === undefined) throw wrong(`${field}.pci_address`, `PCI device "${pci_address}" not found`);
    if (most === 'none')
      throw wrong(`${field}.pci_address`, `PCI device "${pci_address}" doesn't support SR-IOV`);
    if (vf_count > most) {
      throw wrong(
        `${field}.vf_count`,
        `PCI device "${pci_address}" supports at most ${most} SR-IOV virtual functions`,
      );
    }
  }
}

/** Domain, bus, device and function, as sysfs names devices. */
function isPciAddress(text: string): boolean {
  return /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/iu.test(text);
}

async function checkGovernor({ cpu }: SystemKernelConfig, facts: KernelFacts): Promise<void> {
  const governor = cpu?.scaling_governor ?? '';
  if (governor === '') return;
  const available = await facts.governors();
  const field = 'cpu.scaling_governor';
  if (available === undefined) throw wrong(field, "CPU frequency scaling isn't available on this system");
  if (!available.includes(governor)) {
    throw wrong(field, `unsupported scaling governor, must be one of [${available.join(' ')}]`);
  }
}
