import { SystemNetworkConfig, type SystemNetworkPlan } from '@incusos/contracts/network';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { countedHost } from './testing/counted-host.ts';
import { enp5s0, NetworkAppliance } from './testing/network-appliance.ts';

const route = { to: '0.0.0.0/0', via: '192.0.2.1' };
const lan = { name: 'lan', hwaddr: enp5s0, addresses: ['192.0.2.10/24'], routes: [route] };
const store = {
  name: 'store',
  hwaddr: '10:66:6a:00:00:02',
  addresses: ['198.51.100.1/24'],
  required_for_online: 'no',
};
const base = {
  interfaces: [lan, store],
  vlans: [{ name: 'ten', parent: 'store', id: 10, addresses: ['203.0.113.1/24'], required_for_online: 'no' }],
  dns: { hostname: 'here', domain: '', nameservers: ['192.0.2.1'] },
};

describe('a plan', () => {
  let appliance: NetworkAppliance;
  const operations: string[] = [];
  beforeEach(async () => {
    appliance = await NetworkAppliance.create();
    await appliance.command('nic add', 'enp6s0');
    await appliance.start((host) =>
      countedHost(host, (operation) => {
        operations.push(operation);
        return Promise.resolve();
      }),
    );
    await appliance.settled();
    await appliance.set(base);
    operations.length = 0;
  });
  afterEach(() => appliance.remove());

  async function plan(config: object): Promise<SystemNetworkPlan> {
    const { plan: answer } = await appliance.client.planConfig({
      config: SystemNetworkConfig.fromPartial(config),
    });
    if (answer === undefined) throw new Error('the answer has no plan');
    return answer;
  }

  it('of what is in force already is empty', async () => {
    expect(await plan(base)).toEqual({ files: [], devices: [], interrupted: [], warnings: [] });
  });

  it('names files, devices and what is interrupted, and nothing happens', async () => {
    const { config } = await appliance.network();
    const before = appliance.machine.read().network.links;
    const planned = await plan({
      ...base,
      interfaces: [{ ...lan, name: 'mgmt', addresses: ['192.0.2.11/24'] }, store],
      vlans: [{ ...base.vlans[0], id: 11 }],
      dns: { ...base.dns, hostname: 'there' },
    });
    const directory = '/run/systemd/network';
    const files = new Map(planned.files.map(({ path, change }) => [path, change]));
    expect(files.get(`${directory}/10-mgmt.netdev`)).toBe('added');
    expect(files.get(`${directory}/10-lan.netdev`)).toBe('removed');
    expect(files.get(`${directory}/12-ten.netdev`)).toBe('changed');
    expect(files.get('/etc/hosts')).toBe('changed');
    expect([...files.keys()].filter((path) => path.includes('store'))).toEqual([]);
    expect(planned.files.find(({ path }) => path.endsWith('/12-ten.netdev'))?.diff?.split('\n')).toEqual([
      ' [VLAN]',
      '-Id=10',
      '+Id=11',
    ]);
    expect(new Map(planned.devices.map(({ name, change }) => [name, change]))).toEqual(
      new Map([
        ['mgmt', 'created'],
        ['_vmgmt', 'created'],
        ['lan', 'removed'],
        ['_vlan', 'removed'],
        ['ten', 'recreated'],
      ]),
    );
    expect(planned.interrupted).toEqual(expect.arrayContaining(['lan', 'ten']));
    expect(operations).toEqual([]);
    expect(appliance.machine.read().network.links).toEqual(before);
    expect((await appliance.network()).config).toEqual(config);
    expect((await appliance.network()).state?.last_change?.outcome).toBe('applied');
  });

  it('says that nothing is interrupted when an address comes or name servers change', async () => {
    const more = { ...lan, addresses: [...lan.addresses, '192.0.2.99/24'] };
    expect((await plan({ ...base, interfaces: [more, store] })).interrupted).toEqual([]);
    expect((await plan({ ...base, dns: { ...base.dns, nameservers: ['192.0.2.2'] } })).interrupted).toEqual(
      [],
    );
    const other = { ...lan, addresses: ['192.0.2.99/24'] };
    expect((await plan({ ...base, interfaces: [other, store] })).interrupted).toEqual(['lan']);
  });

  it('warns of a gateway that cannot be reached', async () => {
    const { warnings } = await plan({
      ...base,
      interfaces: [{ ...lan, routes: [{ ...route, via: '203.0.113.254' }] }, store],
    });
    expect(warnings).toEqual([
      {
        field: 'config.interfaces[0].routes[0].via',
        message: expect.stringContaining("can't be reached") as string,
      },
    ]);
  });

  it('is refused where the change would be', async () => {
    await expect(plan({})).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'network configuration has no devices defined',
    });
    await expect(plan({ ...base, interfaces: [{ ...lan, mtu: 9001 }, store] })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    await appliance.set({ ...base, confirmation_timeout: '1h' });
    await expect(plan(base)).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: expect.stringContaining('must first be confirmed') as string,
    });
  });
});
