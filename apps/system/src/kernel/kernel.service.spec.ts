import { switchOn } from '@incusos/host-emulated';
import { describe, expect, it } from 'vitest';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();
const sysctlFile = '/etc/sysctl.d/99-local-sysctl.conf';

describe('kernel', () => {
  it('applies a configuration and shows it', async () => {
    await the.setKernel({
      blacklist_modules: ['pcspkr'],
      memory: { persistent_hugepages: 12, zram_swap_size: '512MiB' },
      network: {
        buffer_size: 1_000_000n,
        queuing_discipline: 'fq',
        tcp_congestion_algorithm: 'cubic',
        tcp_mtu_probing: true,
      },
      cpu: { scaling_governor: 'powersave' },
      zfs: { arc_max_size: '1GiB' },
      pci: { passthrough: [{ vendor_id: '1af4', product_id: '1050', pci_address: '0000:02:00.0' }] },
    });
    expect(await the.text('/etc/modprobe.d/99-blacklist-modules.conf')).toBe('blacklist pcspkr');
    expect(await the.host.files.readText('/proc/modules')).not.toContain('pcspkr');
    expect(await the.text('/etc/modprobe.d/99-local-device-passthrough.conf')).toBe(
      'options vfio-pci ids=1af4:1050',
    );
    expect(await the.host.files.readLink('/sys/bus/pci/devices/0000:02:00.0/driver')).toMatch(/\/vfio-pci$/u);
    expect((await the.text(sysctlFile)).split('\n')).toEqual([
      'vm.nr_hugepages = 12',
      'net.ipv4.tcp_rmem = 4096 65536 1000000',
      'net.ipv4.tcp_wmem = 4096 65536 1000000',
      'net.core.rmem_max = 1000000',
      'net.core.wmem_max = 1000000',
      'net.core.netdev_max_backlog = 1000',
      'net.core.default_qdisc = fq',
      'net.ipv4.tcp_congestion_control = cubic',
      'net.ipv4.tcp_mtu_probing = 1',
    ]);
    expect(await the.text('/proc/sys/net/ipv4/tcp_congestion_control')).toBe('cubic');
    expect(await the.text('/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor')).toBe('powersave');
    expect(await the.text('/sys/module/zfs/parameters/zfs_arc_max')).toBe('1073741824');
    expect(await the.host.files.readText('/proc/swaps')).toContain('/dev/zram0');
    const { kernel } = await the.system.getKernel({});
    expect(kernel?.config?.memory).toEqual({ persistent_hugepages: 12, zram_swap_size: '512MiB' });
    expect(kernel?.config?.network?.netdev_max_backlog).toBeUndefined();
    expect(kernel?.state?.memory?.zram_swap).toMatchObject({
      disk_size: 536_870_912n,
      incompressed_size: 4096n,
    });
  });

  it('brings back after a reboot what lives in memory only', async () => {
    await the.setKernel({
      memory: { zram_swap_size: '256MiB', persistent_hugepages: 4 },
      cpu: { scaling_governor: 'schedutil' },
    });
    await the.stop();
    await switchOn(the.machine);
    expect(await the.host.files.exists('/dev/zram0')).toBe(false);
    expect(await the.text('/proc/sys/vm/nr_hugepages')).toBe('4');
    await the.start();
    expect(await the.text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')).toBe('schedutil');
    expect((await the.system.getKernel({})).kernel?.state?.memory?.zram_swap?.disk_size).toBe(268_435_456n);
  });

  it('takes back at its next start what a change wrote that was never stored', async () => {
    await the.setKernel({ memory: { persistent_hugepages: 3 } });
    const stored = await the.text(sysctlFile);
    await the.stop();
    await the.host.files.writeAtomic(sysctlFile, 'vm.nr_hugepages = 77\n');
    await the.host.files.writeAtomic('/etc/modprobe.d/99-blacklist-modules.conf', 'blacklist joydev\n');
    await the.start();
    expect(await the.text(sysctlFile)).toBe(stored);
    expect(await the.host.files.exists('/etc/modprobe.d/99-blacklist-modules.conf')).toBe(false);
    expect(await the.text('/proc/sys/vm/nr_hugepages')).toBe('3');
  });

  it('removes the swap when its size is 0 and leaves it alone when none is given', async () => {
    await the.setKernel({ memory: { zram_swap_size: '256MiB' } });
    await the.setKernel({ memory: { zram_swap_size: '' } });
    expect(await the.host.files.readText('/proc/swaps')).toContain('/dev/zram0');
    await the.setKernel({ memory: { zram_swap_size: '0' } });
    expect(await the.host.files.readText('/proc/swaps')).not.toContain('/dev/zram0');
  });

  it('sets the number of virtual functions and takes them away again', async () => {
    await the.machine.change((description) => {
      description.system.pci.push({
        address: '0000:06:00.0',
        class: '020000',
        vendor_id: '8086',
        product_id: '1521',
        vendor: 'Intel Corporation',
        product: 'I350',
        driver: 'igb',
        sriov_totalvfs: 7,
      });
    });
    await switchOn(the.machine);
    await the.setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 4 }] } });
    await the.setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 7 }] } });
    expect(await the.text('/sys/bus/pci/devices/0000:06:00.0/sriov_numvfs')).toBe('7');
    await expect(
      the.setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 8 }] } }),
    ).rejects.toThrow('PCI device "0000:06:00.0" supports at most 7 SR-IOV virtual functions');
    await the.setKernel({ pci: {} });
    expect(await the.text('/sys/bus/pci/devices/0000:06:00.0/sriov_numvfs')).toBe('0');
  });

  it('refuses what cannot be, names the field, and changes nothing', async () => {
    const wrong: [message: string, config: Parameters<typeof the.setKernel>[0], field: string][] = [
      [
        'persistent hugepages count cannot be negative',
        { memory: { persistent_hugepages: -1 } },
        'config.memory.persistent_hugepages',
      ],
      [
        'Unsupported suffix:  parsecs',
        { memory: { zram_swap_size: '12 parsecs' } },
        'config.memory.zram_swap_size',
      ],
      ['buffer size cannot be negative', { network: { buffer_size: -1n } }, 'config.network.buffer_size'],
      [
        'netdev max backlog cannot be negative',
        { network: { netdev_max_backlog: -1 } },
        'config.network.netdev_max_backlog',
      ],
      [
        'unsupported tcp_congestion_control value, must be one of [reno cubic bbr]',
        { network: { tcp_congestion_algorithm: 'vegas' } },
        'config.network.tcp_congestion_algorithm',
      ],
      [
        "unsupported queuing discipline 'fastest'",
        { network: { queuing_discipline: 'fastest' } },
        'config.network.queuing_discipline',
      ],
      [
        "Vendor ID 'xyz' is invalid",
        { pci: { passthrough: [{ vendor_id: 'xyz', product_id: '1' }] } },
        'config.pci.passthrough[0].vendor_id',
      ],
      [
        "Product ID '1\n2' is invalid",
        { pci: { passthrough: [{ vendor_id: '1', product_id: '1\n2' }] } },
        'config.pci.passthrough[0].product_id',
      ],
      [
        'PCI device "../../x" not found',
        { pci: { sriov: [{ pci_address: '../../x', vf_count: 1 }] } },
        'config.pci.sriov[0].pci_address',
      ],
      [
        'PCI device "0000:05:00.0" doesn\'t support SR-IOV',
        { pci: { sriov: [{ pci_address: '0000:05:00.0', vf_count: 1 }] } },
        'config.pci.sriov[0].pci_address',
      ],
      [
        'SR-IOV virtual function count cannot be negative',
        { pci: { sriov: [{ pci_address: '0000:05:00.0', vf_count: -1 }] } },
        'config.pci.sriov[0].vf_count',
      ],
      [
        'unsupported scaling governor, must be one of [performance powersave schedutil]',
        { cpu: { scaling_governor: 'warp' } },
        'config.cpu.scaling_governor',
      ],
      [
        "'a\ninstall b /bin/sh' is not the name of a kernel module",
        { blacklist_modules: ['a\ninstall b /bin/sh'] },
        'config.blacklist_modules[0]',
      ],
      [
        "'-f' is not the name of a kernel module",
        { blacklist_modules: ['pcspkr', '-f'] },
        'config.blacklist_modules[1]',
      ],
      [
        'the maximum size of the ZFS cache has to be smaller than the memory of the system',
        { zfs: { arc_max_size: '1TiB' } },
        'config.zfs.arc_max_size',
      ],
      [
        "console device '../sda' is not the name of a tty device",
        { console: [{ device: '../sda' }] },
        'config.console[0].device',
      ],
    ];
    await the.setKernel({ memory: { persistent_hugepages: 3 } });
    const before = await the.text(sysctlFile);
    for (const [message, config, field] of wrong) {
      await expect(the.setKernel(config), message).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
        message,
        fields: [{ field }],
      });
      expect(await the.text(sysctlFile)).toBe(before);
    }
    expect((await the.system.getKernel({})).kernel?.config).toMatchObject({
      memory: { persistent_hugepages: 3 },
    });
    expect(await the.text('/proc/sys/net/core/default_qdisc')).toBe('pfifo_fast');
  });

  it('says that a machine without frequency scaling has no governor', async () => {
    await the.host.files.remove('/sys/devices/system/cpu/cpu0/cpufreq');
    await expect(the.setKernel({ cpu: { scaling_governor: 'powersave' } })).rejects.toThrow(
      "CPU frequency scaling isn't available on this system",
    );
  });

  it('puts everything back when the disk is full', async () => {
    await the.setKernel({ memory: { persistent_hugepages: 3 } });
    await the.machine.change(({ faults }) => {
      faults.full_directories = ['/var/lib/incus-os/system'];
    });
    await expect(the.setKernel({ memory: { persistent_hugepages: 9 } })).rejects.toMatchObject({
      reason: 'NO_SPACE',
    });
    expect(await the.text('/proc/sys/vm/nr_hugepages')).toBe('3');
    expect((await the.system.getKernel({})).kernel?.config?.memory?.persistent_hugepages).toBe(3);
  });
});
