import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Host, RunResult } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOff, switchOn } from '../power-switch.ts';
import { appendJournal } from './journal.ts';
import { powerCommands } from './power.ts';

describe('the emulated machine', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'machine-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    host = openEmulatedHost(machine);
    await switchOn(machine);
  });

  afterEach(async () => {
    await rm(directory, { recursive: true });
  });

  const run = (program: string, ...args: string[]): Promise<RunResult> =>
    host.programs.run([program, ...args], { acceptExitCodes: 'any' });
  const text = async (path: string): Promise<string> => (await host.files.readText(path)).trim();

  it('boots the release of the newest kernel image that has tries left', async () => {
    expect(await text('/usr/lib/os-release')).toContain('IMAGE_VERSION="202611120410"');
    await host.files.writeAtomic('/boot/EFI/Linux/IncusOS_202611200500+3-0.efi', 'newer');
    for (const left of ['2-1', '1-2', '0-3']) {
      await switchOn(machine);
      expect(machine.read().system.os.release).toBe('202611200500');
      expect(await host.files.list('/boot/EFI/Linux')).toContain(`IncusOS_202611200500+${left}.efi`);
    }
    await switchOn(machine);
    expect(await text('/usr/lib/os-release')).toContain('IMAGE_VERSION="202611120410"');
  });

  it('forgets settings and units without power, and keeps the disk', async () => {
    const before = machine.read().system;
    await host.files.writeInPlace('/proc/sys/vm/nr_hugepages', '8\n');
    await host.files.writeAtomic('/run/x/y', 'volatile');
    await host.files.writeAtomic('/etc/kept', 'disk');
    await run('systemctl', 'start', 'systemd-netlogd');
    await switchOff(machine);
    expect(machine.read().system.units).toEqual({});
    await switchOn(machine);
    const after = machine.read().system;
    expect(after.power).toMatchObject({ state: 'on', boots: before.power.boots + 1 });
    expect(after.power.boot_id).not.toBe(before.power.boot_id);
    expect(after.machine_id).toBe(before.machine_id);
    expect(await text('/proc/sys/vm/nr_hugepages')).toBe('0');
    expect(await host.files.exists('/run/x/y')).toBe(false);
    expect(await text('/etc/kept')).toBe('disk');
    expect((await run('systemctl', 'is-active', 'systemd-netlogd')).stdout).toBe('inactive\n');
  });

  it('is cut off and switched on by command, once each', async () => {
    const [cut, on] = powerCommands(() => []);
    expect(await cut?.run(machine, [], {})).toBe('the machine is off');
    await expect(cut?.run(machine, [], {})).rejects.toThrow('the machine is off already');
    expect(await on?.run(machine, [], {})).toBe('the machine is on');
    await expect(on?.run(machine, [], {})).rejects.toThrow('the machine is on already');
  });

  it('applies sysctl files at boot and when its unit is restarted', async () => {
    expect(await text('/proc/sys/net/ipv4/tcp_congestion_control')).toBe('bbr');
    await host.files.writeAtomic(
      '/etc/sysctl.d/99-local-sysctl.conf',
      'vm.nr_hugepages = 16\nnet.ipv4.tcp_rmem = 4096 65536 1000000\n',
    );
    expect((await run('systemctl', 'restart', 'systemd-sysctl.service')).exitCode).toBe(0);
    expect(await text('/proc/sys/net/ipv4/tcp_rmem')).toBe('4096\t65536\t1000000');
    expect(await host.files.readText('/proc/meminfo')).toMatch(/^HugePages_Total: +16$/mu);
    await host.files.writeAtomic('/etc/sysctl.d/99-local-sysctl.conf', 'net.core.default_qdisc = nonsense\n');
    expect((await run('systemctl', 'restart', 'systemd-sysctl.service')).exitCode).toBe(1);
  });

  it('loads modules with what they need and keeps needed ones', async () => {
    expect((await run('modprobe', 'nvme-tcp')).exitCode).toBe(0);
    expect(await host.files.readText('/proc/modules')).toMatch(/^nvme_fabrics \d+ 1 nvme_tcp, Live/mu);
    expect(await run('rmmod', 'nvme_core')).toMatchObject({
      exitCode: 1,
      stderr: 'rmmod: ERROR: Module nvme_core is in use by: nvme_fabrics nvme_tcp\n',
    });
    expect((await run('modprobe', '-r', 'nvme_tcp')).exitCode).toBe(0);
    expect(await run('modprobe', 'nothing')).toMatchObject({
      exitCode: 1,
      stderr: 'modprobe: FATAL: Module nothing not found in directory /lib/modules/6.12.57+deb13-amd64\n',
    });
  });

  it('swaps to compressed memory', async () => {
    expect(await run('zramctl', '--reset', '/dev/zram0')).toMatchObject({ exitCode: 1 });
    await run('modprobe', 'zram');
    expect(await run('zramctl', '--find', '--algorithm', 'zstd', '--size', '512MiB')).toMatchObject({
      exitCode: 0,
      stdout: '/dev/zram0\n',
    });
    expect(await text('/sys/block/zram0/disksize')).toBe('536870912');
    expect((await run('swapon', '/dev/zram0')).exitCode).toBe(255);
    expect((await run('mkswap', '/dev/zram0')).exitCode).toBe(0);
    expect((await run('swapon', '--priority', '100', '/dev/zram0')).exitCode).toBe(0);
    expect(await host.files.readText('/proc/swaps')).toMatch(
      /^\/dev\/zram0 +partition\t524284\t\t0\t\t100$/mu,
    );
    expect((await run('zramctl', '--reset', '/dev/zram0')).exitCode).toBe(1);
    expect((await run('swapoff', '/dev/zram0')).exitCode).toBe(0);
    expect((await run('zramctl', '--reset', '/dev/zram0')).exitCode).toBe(0);
    expect(await host.files.exists('/dev/zram0')).toBe(false);
    expect((await run('zramctl', '--find', '--algorithm', 'zstd', '--size', '512MiB')).exitCode).toBe(0);
  });

  it('rebinds a PCI device to the driver it is told to use', async () => {
    const device = '/sys/bus/pci/devices/0000:05:00.0';
    await host.files.writeInPlace(`${device}/driver_override`, 'vfio-pci\n');
    await host.files.writeInPlace(`${device}/driver/unbind`, '0000:05:00.0');
    expect(await host.files.exists(`${device}/driver`)).toBe(false);
    await host.files.writeInPlace('/sys/bus/pci/drivers_probe', '0000:05:00.0');
    expect(await host.files.readLink(`${device}/driver`)).toMatch(/\/vfio-pci$/u);
  });

  it('lists its processes as ps does', async () => {
    const { stdout } = await run('ps', 'fauxww');
    expect(stdout).toMatch(/^USER +PID %CPU %MEM +VSZ +RSS TTY +STAT START +TIME COMMAND\n/u);
    expect(stdout).toMatch(/^root +\d+ .* \/usr\/lib\/systemd\/systemd-journald$/mu);
    appendJournal(machine, 'incus-os-network.service', 'service is ready', process.pid);
    appendJournal(machine, 'incus-os-storage.service', 'service is ready', 2 ** 22 + 1);
    const ours = (await run('ps', 'fauxww')).stdout;
    expect(ours).toMatch(
      new RegExp(`^root +${process.pid} .* /usr/bin/node /usr/lib/incus-os/network\\.mjs$`, 'mu'),
    );
    expect(ours).not.toContain('storage.mjs');
    expect(await run('ps', '-Q')).toMatchObject({ exitCode: 1 });
  });
});
