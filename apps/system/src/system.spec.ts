import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AddonHostService } from '@incusos/contracts/addons';
import { type StateFile, StateOwnerService } from '@incusos/contracts/state';
import {
  DebugServiceService,
  SystemKernelConfig,
  SystemLoggingConfig,
  SystemServiceService,
} from '@incusos/contracts/system';
import type { Host } from '@incusos/host';
import { appendJournal, EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import {
  connectService,
  type RunningService,
  type ServiceClient,
  type ServiceConnection,
  startService,
} from '@incusos/service';
import { PemConverter, X509CertificateGenerator } from '@peculiar/x509';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemModule } from './system.module.ts';

const sysctlFile = '/etc/sysctl.d/99-local-sysctl.conf';

describe('the system service', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;
  let running: RunningService | undefined;
  let connection: ServiceConnection;
  let system: ServiceClient<typeof SystemServiceService>;
  let debug: ServiceClient<typeof DebugServiceService>;
  let starts = 0;

  const start = async (): Promise<void> => {
    starts += 1;
    const socket = join(directory, `system-${starts}.sock`);
    running = await startService(
      SystemModule.on(() => Promise.resolve(host)),
      'system',
      { socket },
    );
    connection = connectService('system', socket);
    system = connection.use(SystemServiceService);
    debug = connection.use(DebugServiceService);
  };

  const stop = async (): Promise<void> => {
    connection.close();
    await running?.stop();
    running = undefined;
  };

  const text = async (path: string): Promise<string> => (await host.files.readText(path)).trim();
  const setKernel = (config: Parameters<typeof SystemKernelConfig.fromPartial>[0]): Promise<unknown> =>
    system.setKernelConfig({ config: SystemKernelConfig.fromPartial(config) });
  const setLogging = (config: Parameters<typeof SystemLoggingConfig.fromPartial>[0]): Promise<unknown> =>
    system.setLoggingConfig({ config: SystemLoggingConfig.fromPartial(config) });
  const log = async (query: Parameters<typeof debug.streamLog>[0]): Promise<Record<string, unknown>[]> => {
    const entries: Record<string, unknown>[] = [];
    for await (const { entry } of debug.streamLog(query))
      entries.push(JSON.parse(entry) as Record<string, unknown>);
    return entries;
  };

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'sys-'));
    vi.stubEnv('INCUSOS_RUN_DIR', directory);
    vi.stubEnv('INCUSOS_LOG_LEVEL', 'error');
    machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
    await start();
  });

  afterEach(async () => {
    await stop();
    vi.unstubAllEnvs();
    await rm(directory, { recursive: true });
  });

  describe('environment', () => {
    it('names the machine by its DMI UUID while no host name is configured', async () => {
      const { environment } = await system.getEnvironment({});
      expect(environment).toMatchObject({
        hostname: machine.read().system.dmi['product_uuid'],
        machine_id: machine.read().system.machine_id,
        os_name: 'IncusOS',
        os_version: '202611120410',
        os_version_next: '202611120410',
        system_is_ready: false,
      });
      expect(environment?.os_version_alternate).toBeUndefined();
      expect(environment?.uptime).toBeGreaterThanOrEqual(0);
    });

    it('shows the release that the next boot takes, and the other one', async () => {
      await host.files.writeAtomic('/boot/EFI/Linux/IncusOS_202611200500+3-0.efi', 'newer');
      expect((await system.getEnvironment({})).environment).toMatchObject({
        os_version: '202611120410',
        os_version_next: '202611200500',
        os_version_alternate: '202611200500',
      });
    });
  });

  describe('resources', () => {
    it('lists processors, memory, devices and firmware', async () => {
      const { resources } = await system.getResources({});
      expect(resources?.cpu).toMatchObject({
        architecture: 'x86_64',
        total: 4,
        sockets: [
          {
            name: 'Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz',
            vendor: 'GenuineIntel',
            frequency: 3900,
            frequency_minimum: 1000,
            address_sizes: { physical_bits: 46, virtual_bits: 48 },
          },
        ],
      });
      expect(resources?.cpu?.sockets[0]?.cores).toHaveLength(4);
      expect(resources?.cpu?.sockets[0]?.cache).toContainEqual({
        level: 2,
        type: 'Unified',
        size: 1_048_576n,
      });
      expect(resources?.memory?.total).toBeGreaterThan(8_000_000_000n);
      expect(resources?.network).toMatchObject({
        total: 1,
        cards: [
          {
            pci_address: '0000:05:00.0',
            product: 'Virtio 1.0 network device',
            ports: [{ id: 'enp5s0', protocol: 'ethernet' }],
          },
        ],
      });
      expect(resources?.storage?.disks[0]).toMatchObject({
        id: 'sda',
        device: '8:0',
        device_id: 'scsi-0QEMU_QEMU_HARDDISK_incus_root',
        size: 50n * 1024n ** 3n,
        type: 'scsi',
      });
      expect(resources?.gpu).toMatchObject({
        total: 1,
        cards: [{ pci_address: '0000:02:00.0', driver: 'virtio-pci' }],
      });
      expect(resources?.usb).toMatchObject({
        total: 1,
        devices: [
          { product: 'QEMU USB Tablet', speed: 480, interfaces: [{ class_id: 3, driver: 'usbhid' }] },
        ],
      });
      expect(resources?.pci?.total).toBe(machine.read().system.pci.length);
      expect(resources?.system).toMatchObject({
        vendor: 'QEMU',
        type: 'virtual-machine',
        chassis: { type: 'Other' },
      });
      expect(resources?.load?.processes).toBe(142);
    });
  });

  describe('kernel', () => {
    it('applies a configuration and shows it', async () => {
      await setKernel({
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
      expect(await text('/etc/modprobe.d/99-blacklist-modules.conf')).toBe('blacklist pcspkr');
      expect(await host.files.readText('/proc/modules')).not.toContain('pcspkr');
      expect(await text('/etc/modprobe.d/99-local-device-passthrough.conf')).toBe(
        'options vfio-pci ids=1af4:1050',
      );
      expect(await host.files.readLink('/sys/bus/pci/devices/0000:02:00.0/driver')).toMatch(/\/vfio-pci$/u);
      expect((await text(sysctlFile)).split('\n')).toEqual([
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
      expect(await text('/proc/sys/net/ipv4/tcp_congestion_control')).toBe('cubic');
      expect(await text('/sys/devices/system/cpu/cpu3/cpufreq/scaling_governor')).toBe('powersave');
      expect(await text('/sys/module/zfs/parameters/zfs_arc_max')).toBe('1073741824');
      expect(await host.files.readText('/proc/swaps')).toContain('/dev/zram0');
      const { kernel } = await system.getKernel({});
      expect(kernel?.config?.memory).toEqual({ persistent_hugepages: 12, zram_swap_size: '512MiB' });
      expect(kernel?.config?.network?.netdev_max_backlog).toBeUndefined();
      expect(kernel?.state?.memory?.zram_swap).toMatchObject({
        disk_size: 536_870_912n,
        incompressed_size: 4096n,
      });
    });

    it('brings back after a reboot what lives in memory only', async () => {
      await setKernel({
        memory: { zram_swap_size: '256MiB', persistent_hugepages: 4 },
        cpu: { scaling_governor: 'schedutil' },
      });
      await stop();
      await switchOn(machine);
      expect(await host.files.exists('/dev/zram0')).toBe(false);
      expect(await text('/proc/sys/vm/nr_hugepages')).toBe('4');
      await start();
      expect(await text('/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor')).toBe('schedutil');
      expect((await system.getKernel({})).kernel?.state?.memory?.zram_swap?.disk_size).toBe(268_435_456n);
    });

    it('takes back at its next start what a change wrote that was never stored', async () => {
      await setKernel({ memory: { persistent_hugepages: 3 } });
      const stored = await text(sysctlFile);
      await stop();
      await host.files.writeAtomic(sysctlFile, 'vm.nr_hugepages = 77\n');
      await host.files.writeAtomic('/etc/modprobe.d/99-blacklist-modules.conf', 'blacklist joydev\n');
      await start();
      expect(await text(sysctlFile)).toBe(stored);
      expect(await host.files.exists('/etc/modprobe.d/99-blacklist-modules.conf')).toBe(false);
      expect(await text('/proc/sys/vm/nr_hugepages')).toBe('3');
    });

    it('removes the swap when its size is 0 and leaves it alone when none is given', async () => {
      await setKernel({ memory: { zram_swap_size: '256MiB' } });
      await setKernel({ memory: { zram_swap_size: '' } });
      expect(await host.files.readText('/proc/swaps')).toContain('/dev/zram0');
      await setKernel({ memory: { zram_swap_size: '0' } });
      expect(await host.files.readText('/proc/swaps')).not.toContain('/dev/zram0');
    });

    it('sets the number of virtual functions and takes them away again', async () => {
      await machine.change((description) => {
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
      await switchOn(machine);
      await setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 4 }] } });
      await setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 7 }] } });
      expect(await text('/sys/bus/pci/devices/0000:06:00.0/sriov_numvfs')).toBe('7');
      await expect(
        setKernel({ pci: { sriov: [{ pci_address: '0000:06:00.0', vf_count: 8 }] } }),
      ).rejects.toThrow('PCI device "0000:06:00.0" supports at most 7 SR-IOV virtual functions');
      await setKernel({ pci: {} });
      expect(await text('/sys/bus/pci/devices/0000:06:00.0/sriov_numvfs')).toBe('0');
    });

    it('refuses what cannot be, names the field, and changes nothing', async () => {
      const wrong: [message: string, config: Parameters<typeof setKernel>[0], field: string][] = [
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
      await setKernel({ memory: { persistent_hugepages: 3 } });
      const before = await text(sysctlFile);
      for (const [message, config, field] of wrong) {
        await expect(setKernel(config), message).rejects.toMatchObject({
          reason: 'INVALID_REQUEST',
          message,
          fields: [{ field }],
        });
        expect(await text(sysctlFile)).toBe(before);
      }
      expect((await system.getKernel({})).kernel?.config).toMatchObject({
        memory: { persistent_hugepages: 3 },
      });
      expect(await text('/proc/sys/net/core/default_qdisc')).toBe('pfifo_fast');
    });

    it('says that a machine without frequency scaling has no governor', async () => {
      await host.files.remove('/sys/devices/system/cpu/cpu0/cpufreq');
      await expect(setKernel({ cpu: { scaling_governor: 'powersave' } })).rejects.toThrow(
        "CPU frequency scaling isn't available on this system",
      );
    });

    it('puts everything back when the disk is full', async () => {
      await setKernel({ memory: { persistent_hugepages: 3 } });
      await machine.change(({ faults }) => {
        faults.full_directories = ['/var/lib/incus-os/system'];
      });
      await expect(setKernel({ memory: { persistent_hugepages: 9 } })).rejects.toMatchObject({
        reason: 'NO_SPACE',
      });
      expect(await text('/proc/sys/vm/nr_hugepages')).toBe('3');
      expect((await system.getKernel({})).kernel?.config?.memory?.persistent_hugepages).toBe(3);
    });
  });

  describe('logging', () => {
    it('forwards to a syslog server with the usual protocol and format', async () => {
      await setLogging({ syslog: { address: '192.0.2.1:514' } });
      expect(await host.files.readText('/etc/systemd/netlogd.conf')).toBe(
        '[Network]\nAddress=192.0.2.1:514\nProtocol=udp\nLogFormat=rfc5424\n',
      );
      expect(machine.read().system.units['systemd-netlogd.service']?.active).toBe('active');
      await setLogging({ syslog: { address: '' } });
      expect(await host.files.exists('/etc/systemd/netlogd.conf')).toBe(false);
      expect(machine.read().system.units['systemd-netlogd.service']?.active).toBe('inactive');
      expect((await system.getLogging({})).logging?.config).toEqual({
        syslog: { address: '', protocol: '', log_format: '' },
        journal_upload: { url: '', tls_client_certificate: '', tls_client_key: '', tls_ca_certificate: '' },
      });
    });

    it('has systemd read its units anew only when one changed', async () => {
      const run = vi.spyOn(host.programs, 'run');
      const reloads = (): number => run.mock.calls.filter(([argv]) => argv[1] === 'daemon-reload').length;
      await setLogging({ syslog: { address: '192.0.2.1:514' } });
      await setLogging({ syslog: { address: '192.0.2.2:514' } });
      expect(reloads()).toBe(0);
      const { certificate, key } = await selfSigned();
      await setLogging({
        journal_upload: {
          url: 'https://logs.example:19532',
          tls_client_certificate: certificate,
          tls_client_key: key,
        },
      });
      expect(reloads()).toBe(1);
      run.mockRestore();
    });

    it('uploads the journal with a client certificate whose key stays out of the state file', async () => {
      const { certificate, key } = await selfSigned();
      await setLogging({
        journal_upload: {
          url: 'https://logs.example:19532',
          tls_client_certificate: certificate,
          tls_client_key: key,
          tls_ca_certificate: certificate,
        },
      });
      expect(await host.files.readText('/etc/systemd/journal-upload.conf')).toBe(
        '[Upload]\nURL=https://logs.example:19532\n' +
          'ServerKeyFile=/run/credentials/systemd-journal-upload.service/client.key\n' +
          'ServerCertificateFile=/etc/systemd/journal-upload/client.crt\n' +
          'TrustedCertificateFile=/etc/systemd/journal-upload/ca.crt\n',
      );
      expect(await host.files.stat('/etc/systemd/journal-upload/client.key')).toMatchObject({ mode: 0o600 });
      expect(await host.files.readText('/var/lib/incus-os/system/state.json')).not.toContain('PRIVATE KEY');
      expect((await system.getLogging({})).logging?.config?.journal_upload?.tls_client_key).toBe(key);
      expect(machine.read().system.units['systemd-journal-upload.service']?.active).toBe('active');
      await setLogging({});
      expect(await host.files.exists('/etc/systemd/journal-upload')).toBe(true);
      expect(await host.files.list('/etc/systemd/journal-upload')).toEqual([]);
      expect(
        (await host.files.list('/var/lib/incus-os/system')).filter((name) => name.endsWith('.key')),
      ).toEqual([]);
    });

    it('refuses what cannot be forwarded to, and names the field', async () => {
      const wrong: [message: string, config: Parameters<typeof setLogging>[0], field: string][] = [
        [
          "syslog address 'nowhere' is not host:port",
          { syslog: { address: 'nowhere' } },
          'config.syslog.address',
        ],
        [
          "syslog address 'a:1\nProtocol=tcp' is not host:port",
          { syslog: { address: 'a:1\nProtocol=tcp' } },
          'config.syslog.address',
        ],
        [
          "unsupported syslog protocol 'carrier pigeon', must be one of [udp tcp tls dtls]",
          { syslog: { address: 'a:1', protocol: 'carrier pigeon' } },
          'config.syslog.protocol',
        ],
        [
          "'ftp://a' is not an http or https URL",
          { journal_upload: { url: 'ftp://a' } },
          'config.journal_upload.url',
        ],
        [
          'the tls ca certificate is not a certificate in PEM form',
          { journal_upload: { url: 'https://a', tls_ca_certificate: 'x' } },
          'config.journal_upload.tls_ca_certificate',
        ],
        [
          'journal upload needs a URL',
          { journal_upload: { tls_ca_certificate: 'x' } },
          'config.journal_upload.url',
        ],
      ];
      for (const [message, config, field] of wrong) {
        await expect(setLogging(config), message).rejects.toMatchObject({
          reason: 'INVALID_REQUEST',
          message,
          fields: [{ field }],
        });
      }
      expect(await host.files.exists('/etc/systemd/netlogd.conf')).toBe(false);
    });
  });

  describe('power', () => {
    it('answers before it reboots', async () => {
      await system.reboot({});
      expect(machine.read().system.power.state).toBe('on');
      await expect.poll(() => machine.read().system.power.state, { timeout: 20_000 }).toBe('rebooting');
    });

    it('switches off and suspends', async () => {
      await system.suspend({});
      await expect.poll(() => machine.read().system.power.state, { timeout: 20_000 }).toBe('suspended');
      await expect
        .poll(
          async () => {
            await system.powerOff({});
            return machine.read().system.power.state;
          },
          { timeout: 20_000 },
        )
        .toBe('powering-off');
    });
  });

  describe('debug', () => {
    beforeEach(() => {
      appendJournal(machine, 'systemd-networkd.service', 'enp5s0: Gained carrier');
      for (const message of ['first', 'second']) {
        appendJournal(
          machine,
          'incus-os-network.service',
          JSON.stringify({ MESSAGE: message, SYSLOG_IDENTIFIER: 'incus-osd' }),
        );
      }
    });

    it('gives the entries of all our services for the one name they are known by', async () => {
      const entries = await log({ unit: 'incus-osd.service', boot: '0', entries: '100' });
      expect(entries.map((entry) => [entry['SYSLOG_IDENTIFIER'], entry['MESSAGE']])).toEqual([
        ['incus-osd', 'first'],
        ['incus-osd', 'second'],
      ]);
    });

    it('selects by unit, number and time', async () => {
      expect(await log({ unit: 'systemd-networkd' })).toHaveLength(1);
      expect((await log({ entries: '1' })).map((entry) => entry['MESSAGE'])).toEqual(['second']);
      expect(await log({ since: '1 hour ago', until: '30 minutes ago' })).toEqual([]);
    });

    it('refuses queries that it does not understand, and takes no value for an option', async () => {
      const wrong: [query: Parameters<typeof log>[0], message: string][] = [
        [{ unit: 'a b' }, "unit 'a b' is not the name of a unit"],
        [{ boot: '--flush' }, "boot '--flush' is neither a boot number nor a boot id"],
        [{ boot: '-17' }, 'No journal boot entry found for the specified boot (-17).'],
        [{ entries: '-1' }, "entries '-1' is not a number of entries"],
        [{ since: '$(reboot)' }, "since '$(reboot)' is not a time"],
        [{ since: 'whenever' }, 'Failed to parse timestamp: whenever'],
      ];
      for (const [query, message] of wrong) {
        await expect(log(query), message).rejects.toMatchObject({ reason: 'INVALID_REQUEST', message });
      }
      expect(await log({ unit: '--flush' })).toEqual([]);
    });

    it('describes the kernel and its modules, and asks for the processor’s level once', async () => {
      const run = vi.spyOn(host.programs, 'run');
      const { kernel } = await debug.getKernel({});
      expect((await debug.getKernel({})).kernel).toEqual(kernel);
      expect(run).toHaveBeenCalledTimes(1);
      run.mockRestore();
      expect(kernel).toMatchObject({
        version: '6.12.57+deb13-amd64',
        architecture: 'x86_64',
        cpu_baseline: 'x86_64_v3',
      });
      expect(kernel?.modules).toContainEqual({ name: 'zfs', dependencies: ['spl'], in_use: true });
      expect(kernel?.modules).toContainEqual({ name: 'pcspkr', dependencies: [], in_use: false });
    });

    it('lists the processes', async () => {
      expect((await debug.getProcesses({})).processes).toMatch(/^USER +PID.*\n(?:.*\n)*root +1 .*systemd/u);
    });

    it('reports metrics by name', async () => {
      const { report } = await debug.getReport({ match: ['memory', 'system.load.1m'] });
      expect(report?.metrics.map(({ name }) => name)).toEqual([
        'system.load.1m',
        'memory.total_bytes',
        'memory.available_bytes',
        'memory.swap_total_bytes',
        'memory.swap_free_bytes',
      ]);
    });

    it('goes on with what is logged while someone follows the log', async () => {
      const reader = new AbortController();
      const followed: string[] = [];
      const following = (async () => {
        const query = { unit: 'incus-osd', entries: '1', follow: true };
        for await (const { entry } of debug.streamLog(query, { signal: reader.signal })) {
          followed.push((JSON.parse(entry) as { MESSAGE: string }).MESSAGE);
        }
      })();
      const entry = (MESSAGE: string): string =>
        JSON.stringify({ MESSAGE, SYSLOG_IDENTIFIER: 'incus-osd', INCUSOS_SERVICE: 'system' });
      await vi.waitFor(
        () => {
          appendJournal(machine, 'incus-os-system.service', entry('again'));
          expect(followed.length).toBeGreaterThan(1);
        },
        { timeout: 20_000, interval: 50 },
      );
      expect(new Set(followed)).toEqual(new Set(['again']));
      reader.abort();
      await expect(following).rejects.toMatchObject({ reason: 'CANCELLED' });
    });

    it('refuses an empty message and an unknown level', async () => {
      await expect(debug.writeMessage({ message: { level: 'INFO', message: '' } })).rejects.toThrow(
        'no log message provided',
      );
      await expect(debug.writeMessage({ message: { level: 'LOUD', message: 'x' } })).rejects.toMatchObject({
        reason: 'INVALID_REQUEST',
      });
      await debug.writeMessage({ message: { level: '4', message: 'x' } });
    });
  });

  it('names the devices that show the screen, those of the configuration among them', async () => {
    expect(await system.getConsoles({})).toEqual({ devices: ['tty1'] });
    await setKernel({ console: [{ device: 'ttyS1' }] });
    expect(await system.getConsoles({})).toEqual({ devices: ['tty1', 'ttyS1'] });
  });

  it('offers usbip with its defaults', async () => {
    const addons = connection.use(AddonHostService);
    expect(await addons.listAddons({})).toEqual({ names: ['usbip'] });
    expect(await addons.getAddon({ name: 'usbip' })).toEqual({
      addon: { $case: 'usbip', value: { config: { enabled: false, targets: [] }, state: {} } },
    });
    await expect(addons.getAddon({ name: 'lvm' })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    await expect(addons.setAddonConfig({ name: 'usbip', config: undefined })).rejects.toMatchObject({
      reason: 'NOT_IMPLEMENTED',
    });
    await expect(addons.resetAddon({ name: 'usbip' })).rejects.toThrow(
      "reset isn't supported by this service",
    );
  });

  it('gives up its configuration and takes it back, with its key', async () => {
    const owner = connection.use(StateOwnerService);
    const { certificate, key } = await selfSigned();
    await setLogging({
      journal_upload: { url: 'https://a', tls_client_certificate: certificate, tls_client_key: key },
    });
    await setKernel({ memory: { persistent_hugepages: 5 } });
    const files: (StateFile | undefined)[] = [];
    for await (const { file } of owner.exportState({})) files.push(file);
    expect(files.map((file) => file?.name).toSorted()).toEqual([
      expect.stringMatching(/^journal-upload-.*\.key$/u),
      'state.json',
    ]);
    await setKernel({});
    await setLogging({});
    const stage = async function* (): AsyncGenerator<{
      restore_id: string;
      skip: string[];
      file: (typeof files)[number];
      schema_version: number;
    }> {
      for (const file of files) yield { restore_id: 'r1', skip: [], file, schema_version: 1 };
    };
    await owner.stageImport(stage());
    expect(await text('/proc/sys/vm/nr_hugepages')).toBe('0');
    await owner.commitImport({ restore_id: 'r1' });
    expect(await text('/proc/sys/vm/nr_hugepages')).toBe('5');
    expect((await system.getLogging({})).logging?.config?.journal_upload?.tls_client_key).toBe(key);
    expect(machine.read().system.units['systemd-journal-upload.service']?.active).toBe('active');
    await owner.resetState({});
    expect((await system.getKernel({})).kernel?.config).toEqual(SystemKernelConfig.create());
  });
});

async function selfSigned(): Promise<{ certificate: string; key: string }> {
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=test',
    keys,
    signingAlgorithm: algorithm,
  });
  const key = await crypto.subtle.exportKey('pkcs8', keys.privateKey);
  return { certificate: certificate.toString('pem'), key: PemConverter.encode(key, 'PRIVATE KEY') };
}
