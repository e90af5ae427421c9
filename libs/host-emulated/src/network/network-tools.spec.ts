import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Host, RunResult } from '@incusos/host';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEmulatedHost } from '../emulated-host.ts';
import { EmulatedMachine } from '../machine/emulated-machine.ts';
import { switchOff, switchOn } from '../power-switch.ts';
import { addressBytes, contains, eui64, formatAddress, hostAddress, networkOf } from './addressing.ts';
import { networkCommands } from './commands.ts';

const directory = '/run/systemd/network';

async function until(check: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 20_000;
  while (!(await check())) {
    if (Date.now() > deadline) throw new Error('it did not happen in time');
    await sleep(20);
  }
}
const mac = '10:66:6a:00:00:01';

describe('the network of the emulated machine', () => {
  let machine: EmulatedMachine;
  let host: Host;
  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'emu-net-')));
    machine.create();
    await switchOn(machine);
    host = openEmulatedHost(machine);
  });
  afterEach(() => rmSync(machine.directory, { recursive: true, force: true }));

  const run = (...argv: [string, ...string[]]): Promise<RunResult> =>
    host.programs.run(argv, { acceptExitCodes: 'any' });
  const json = async (...argv: [string, ...string[]]): Promise<unknown> =>
    JSON.parse((await run(...argv)).stdout) as unknown;
  const put = (name: string, text: string): Promise<void> =>
    host.files.writeAtomic(`${directory}/${name}`, text);
  const command = (name: string, ...args: string[]): Promise<string> => {
    const found = networkCommands.find((one) => one.name === name);
    if (found === undefined) throw new Error(`no command ${name}`);
    return found.run(machine, args, {});
  };

  it('shows the card in the form in which iproute2 does', async () => {
    expect(await json('ip', '-j', '-d', '-s', 'link', 'show', 'dev', 'enp5s0')).toMatchObject([
      {
        ifindex: 2,
        ifname: 'enp5s0',
        flags: ['BROADCAST', 'MULTICAST'],
        mtu: 1500,
        operstate: 'DOWN',
        link_type: 'ether',
        address: mac,
        max_mtu: 65_535,
        stats64: { rx: { bytes: 0, errors: 0 }, tx: { bytes: 0, errors: 0 } },
      },
    ]);
    expect(await host.files.readText('/sys/class/net/enp5s0/device/uevent')).toContain('DRIVER=virtio_net');
  });

  it('has the fields of a virtio card in the order in which iproute2 6.15 writes them', async () => {
    // Recorded from `ip -j -d -s link show` and `ip -j address show` on a virtual machine.
    const link =
      'ifindex ifname flags mtu qdisc operstate linkmode group txqlen link_type address broadcast promiscuity allmulti min_mtu max_mtu ' +
      'inet6_addr_gen_mode num_tx_queues num_rx_queues gso_max_size gso_max_segs tso_max_size tso_max_segs gro_max_size gso_ipv4_max_size gro_ipv4_max_size parentbus parentdev stats64';
    const address =
      'ifindex ifname flags mtu qdisc operstate group txqlen link_type address broadcast altnames addr_info';
    const keys = async (...argv: [string, ...string[]]): Promise<string[]> =>
      ((await json(...argv)) as object[]).slice(1).map((one) => Object.keys(one).join(' '));
    expect(await keys('ip', '-j', '-d', '-s', 'link', 'show')).toEqual([link]);
    expect(await keys('ip', '-j', 'address', 'show')).toEqual([address]);
  });

  it('gives the errors that iproute2 and networkctl give', async () => {
    expect(await run('ip', 'link', 'show', 'dev', 'nope')).toMatchObject({
      exitCode: 1,
      stderr: 'Device "nope" does not exist.\n',
    });
    expect(await run('ip', 'frobnicate')).toMatchObject({
      exitCode: 1,
      stderr: 'Object "frobnicate" is unknown, try "ip help".\n',
    });
    expect(await run('ip', 'link', 'delete', 'nope')).toMatchObject({
      exitCode: 1,
      stderr: 'Cannot find device "nope"\n',
    });
    expect(await run('networkctl', 'list', '--frob')).toMatchObject({
      exitCode: 1,
      stderr: "networkctl: unrecognized option '--frob'\n",
    });
    expect(await run('networkctl', 'frob')).toMatchObject({ exitCode: 1 });
  });

  it('renames a card by its .link file when udev is told to look again', async () => {
    await put(
      '00-x.link',
      `[Match]\nPermanentMACAddress=${mac}\n\n[Link]\nMACAddressPolicy=random\nNamePolicy=\nName=_px\nMTUBytes=9000\n`,
    );
    await run('udevadm', 'trigger', '--action=add', '--subsystem-match=net', '--sysname-match=enp5s0');
    const [link] = (await json('ip', '-j', '-d', 'link', 'show', 'dev', '_px')) as Record<string, unknown>[];
    expect(link).toMatchObject({ mtu: 9000, permaddr: mac });
    expect(link?.['address']).not.toBe(mac);
  });

  it('gets a lease and an advertisement a moment after networkd configured the link', async () => {
    await put('20-x.network', '[Match]\nName=enp5s0\n\n[Network]\nDHCP=ipv4\nIPv6AcceptRA=true\n');
    await run('networkctl', 'reload');
    const state = (): Promise<unknown> => json('networkctl', 'status', 'enp5s0', '--json=short');
    await until(async () => JSON.stringify(await state()).includes('DHCPv4'));
    expect(await state()).toMatchObject({
      AdministrativeState: 'configured',
      OperationalState: 'routable',
      OnlineState: 'online',
    });
    expect(await json('ip', '-j', 'route', 'show', 'dev', 'enp5s0')).toContainEqual(
      expect.objectContaining({ dst: 'default', gateway: '192.0.2.1', protocol: 'dhcp' }),
    );
    expect((await run('resolvectl', 'query', 'linuxcontainers.org')).exitCode).toBe(0);
  });

  it('gets no lease while its cable is pulled', async () => {
    await command('nic link', 'enp5s0', 'down');
    await put('20-x.network', '[Match]\nName=enp5s0\n\n[Network]\nDHCP=ipv4\n');
    await run('networkctl', 'reload');
    await sleep(400);
    expect(await json('networkctl', 'list', '--json=short')).toMatchObject({
      Interfaces: [
        { Name: 'lo', OperationalState: 'carrier' },
        { Name: 'enp5s0', OperationalState: 'no-carrier', OnlineState: 'offline' },
      ],
    });
  });

  it('says in the journal what it ignores in a file', async () => {
    await put(
      '20-x.network',
      '[Match]\nName=enp5s0\n\n[Network]\nFrobnicate=1\nAddress=999.1.1.1/24\n\n[Route]\nGateway=dhcp6\nDestination=0.0.0.0/0\n\n[Route]\nGateway=_dhcp4\n',
    );
    await run('networkctl', 'reload');
    const { stdout } = await run('journalctl', '--no-pager', '-o', 'json', '-u', 'systemd-networkd.service');
    expect(stdout).toContain("Unknown key 'Frobnicate' in section [Network], ignoring.");
    expect(stdout).toContain('Failed to parse address, ignoring: 999.1.1.1/24');
    expect(stdout).toContain('Invalid gateway address dhcp6, ignoring the route');
    expect(stdout).toContain('is specified but DHCPv4 client is disabled. Ignoring [Route] section.');
  });

  it('hears the switch where a link listens', async () => {
    await put('20-x.network', '[Match]\nName=enp5s0\n\n[Network]\nLLDP=true\nDHCP=yes\n');
    await run('networkctl', 'reload');
    expect(await json('networkctl', 'lldp', '--json=short')).toMatchObject({
      Neighbors: [
        { InterfaceName: 'enp5s0', Neighbors: [{ ChassisID: '52:54:00:00:00:01', PortID: 'port1' }] },
      ],
    });
  });

  it('announces changes of links and addresses as they come', async () => {
    const monitor = host.programs.stream(['ip', 'monitor', 'link', 'address', 'route']);
    let heard = '';
    monitor.stdout.on('data', (chunk: Buffer) => (heard += chunk.toString()));
    await put('20-x.network', '[Match]\nName=enp5s0\n\n[Network]\nDHCP=ipv4\n');
    await run('networkctl', 'reload');
    await until(async () => heard.includes('default via 192.0.2.1'));
    expect(heard).toContain('enp5s0: <BROADCAST,MULTICAST,UP,LOWER_UP>');
    expect(heard).toContain('inet 192.0.2.');
    monitor.stop();
  });

  it('sets the clock by a server that the lease names', async () => {
    await put('20-x.network', '[Match]\nName=enp5s0\n\n[Network]\nDHCP=ipv4\n');
    await run('networkctl', 'reload');
    const synchronized = async (): Promise<string> =>
      (await run('timedatectl', 'show', '--property=NTPSynchronized', '--value')).stdout;
    expect(await synchronized()).toBe('no\n');
    await run('systemctl', 'restart', 'systemd-timesyncd.service');
    await until(async () => (await synchronized()) === 'yes\n');
  });

  it('refuses time zones and host names that do not exist', async () => {
    expect(await run('timedatectl', 'set-timezone', 'Mars/Olympus')).toMatchObject({ exitCode: 1 });
    expect(await run('hostnamectl', 'hostname', '-x-')).toMatchObject({ exitCode: 1 });
    await run('timedatectl', 'set-timezone', 'Europe/Berlin');
    expect((await run('timedatectl', 'show', '--property=Timezone', '--value')).stdout).toBe(
      'Europe/Berlin\n',
    );
  });

  it('configures a card that comes back into the running machine', async () => {
    await put('00-card.link', `[Match]\nPermanentMACAddress=${mac}\n\n[Link]\nName=_pcard\n`);
    await put('20-card.network', '[Match]\nName=_pcard\n\n[Network]\nAddress=192.0.2.7/24\n');
    await command('nic remove', 'enp5s0');
    await command('nic add', 'enp5s0');
    expect(await json('ip', '-j', 'address', 'show', 'dev', '_pcard')).toMatchObject([
      { addr_info: [{ local: '192.0.2.7' }, {}] },
    ]);
  });

  it('forgets devices without power, and keeps cards that were added', async () => {
    await command('nic add', 'enp6s0');
    await put('10-br.netdev', '[NetDev]\nName=br0\nKind=bridge\n');
    await run('networkctl', 'reload');
    expect(machine.read().network.links.map(({ name }) => name)).toEqual(['lo', 'enp5s0', 'enp6s0', 'br0']);
    await switchOff(machine);
    await switchOn(machine);
    expect(machine.read().network.links.map(({ name }) => name)).toEqual(['lo', 'enp5s0', 'enp6s0']);
    await expect(command('nic add', 'enp6s0')).rejects.toThrow('already');
    await command('nic remove', 'enp6s0');
    expect(machine.read().network.links.map(({ name }) => name)).toEqual(['lo', 'enp5s0']);
  });
});

describe('arithmetic on addresses', () => {
  it('writes IPv6 addresses as RFC 5952 wants them', () => {
    for (const address of [
      '::',
      '::1',
      '2001:db8::1',
      'fe80::1266:6aff:fe00:1',
      '2001:db8:0:1::',
      '1:2:3:4:5:6:7:8',
    ]) {
      expect(formatAddress(addressBytes(address))).toBe(address);
    }
  });

  it('knows networks, hosts and addresses made from a MAC', () => {
    expect(networkOf('192.0.2.77', 24)).toBe('192.0.2.0/24');
    expect(networkOf('2001:db8:0:1:ffff::1', 64)).toBe('2001:db8:0:1::/64');
    expect(contains('192.0.2.0/24', '192.0.2.200')).toBe(true);
    expect(contains('192.0.2.0/24', '198.51.100.1')).toBe(false);
    expect(hostAddress('192.0.2.0/24', 100)).toBe('192.0.2.100');
    expect(eui64('fe80::/64', mac)).toBe('fe80::1266:6aff:fe00:1');
  });
});
