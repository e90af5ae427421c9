import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';

const staticConfig = {
  interfaces: [
    {
      name: 'enp5s0',
      hwaddr: enp5s0,
      addresses: ['192.0.2.10/24', '2001:db8:0:1::10/64'],
      routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
    },
  ],
  dns: {
    hostname: 'server1',
    domain: 'example.org',
    nameservers: ['192.0.2.1'],
    search_domains: ['example.org'],
  },
};

describe('the network of a machine that was never configured', () => {
  let appliance: NetworkAppliance;
  beforeAll(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterAll(() => appliance.remove());

  it('asks for addresses on every card and reports what it got', async () => {
    await eventually(async () => (await appliance.interfaceState('enp5s0')).addresses.length === 2);
    const { config, state } = await appliance.network();
    expect(config?.interfaces).toMatchObject([
      { name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4', 'slaac'], required_for_online: 'no' },
    ]);
    expect(config?.time?.timezone).toBe('UTC');
    expect(state?.interfaces['enp5s0']).toMatchObject({
      type: 'interface',
      state: 'routable',
      hwaddr: enp5s0,
      mtu: 1500,
      speed: '10000',
      roles: ['management', 'cluster'],
    });
    expect(state?.interfaces['enp5s0']?.addresses).toContain('2001:db8:0:1:1266:6aff:fe00:1');
  });

  it('puts a static address, its files and its state in place', async () => {
    await appliance.set(staticConfig);
    const state = await appliance.interfaceState('enp5s0');
    expect(state.addresses).toEqual(['192.0.2.10', '2001:db8:0:1::10']);
    expect(state.routes).toContainEqual({ to: 'default', via: '192.0.2.1' });
    expect(await appliance.file('/run/systemd/network/20-_venp5s0.network')).toBe(
      [
        '[Match]\nName=_venp5s0\n',
        '[Link]\nRequiredForOnline=yes\nRequiredFamilyForOnline=any\nMTUBytes=1500\n',
        '[DHCP]\nClientIdentifier=mac\nRouteMetric=100\n',
        '[DHCPv6]\nWithoutRA=solicit\n',
        '[Network]\nDomains=example.org\nDNS=192.0.2.1\nLinkLocalAddressing=ipv6\nAddress=192.0.2.10/24\nAddress=2001:db8:0:1::10/64\nIPv6AcceptRA=false\n',
        '[Route]\nGateway=192.0.2.1\nDestination=0.0.0.0/0\n',
      ].join('\n'),
    );
    expect(await appliance.file('/etc/hosts')).toContain('127.0.1.1 server1\n');
    expect(appliance.machine.read().network.host_name).toBe('server1');
  });

  it('shows a card that is plugged in and forgets one that is pulled out', async () => {
    await appliance.command('nic add', 'enp6s0');
    await eventually(
      async () => (await appliance.network()).state?.interfaces['enp6s0']?.type === 'physical',
    );
    await appliance.command('nic remove', 'enp6s0');
    await eventually(async () => (await appliance.network()).state?.interfaces['enp6s0'] === undefined);
  });

  it('empties the resolver caches', async () => {
    await expect(appliance.client.flushDns({})).resolves.toEqual({});
  });
});
