import { buffer } from 'node:stream/consumers';
import { pack } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, NetworkAppliance } from './testing/network-appliance.ts';

const partition = '/dev/disk/by-partlabel/seed-data';

let appliance: NetworkAppliance;

beforeEach(async () => {
  appliance = await NetworkAppliance.create();
});

afterEach(() => appliance.remove());

async function seed(name: string, content: string): Promise<void> {
  const tar = pack();
  tar.entry({ name }, content);
  tar.finalize();
  const { files } = appliance.machine;
  await files.writeAtomic(await files.realPath(partition), await buffer(tar));
}

async function boot(): Promise<void> {
  await appliance.start();
  await appliance.settled();
}

const byDefault = [
  { name: 'enp5s0', hwaddr: enp5s0, addresses: ['dhcp4', 'slaac'], required_for_online: 'no' },
];

describe('a first boot with a network seed', () => {
  it('follows the seed, and never again', async () => {
    await seed(
      'network.yaml',
      `version: 1
interfaces:
  - {name: mgmt, hwaddr: enp5s0, addresses: [192.0.2.10/24], routes: [{to: 0.0.0.0/0, via: 192.0.2.1}]}
dns: {hostname: server1}
`,
    );
    await boot();
    const { config } = await appliance.network();
    expect(config).toMatchObject({
      interfaces: [{ name: 'mgmt', hwaddr: enp5s0, addresses: ['192.0.2.10/24'] }],
      dns: { hostname: 'server1' },
      time: { timezone: 'UTC' },
    });
    expect(config?.confirmation_timeout).toBeUndefined();
    expect((await appliance.interfaceState('mgmt')).addresses).toEqual(['192.0.2.10']);
    expect(appliance.machine.read().network.host_name).toBe('server1');
    await seed('network.yaml', 'interfaces: [{name: other, hwaddr: enp5s0, addresses: [dhcp4]}]');
    await appliance.stop();
    await boot();
    expect((await appliance.network()).config).toEqual(config);
  });

  it('asks for addresses on every card when the seed names no devices', async () => {
    await seed(
      'network.json',
      '{"version":"1","time":{"timezone":"Europe/Zurich","ntp_servers":["192.0.2.1"]}}',
    );
    await boot();
    expect((await appliance.network()).config).toMatchObject({
      interfaces: byDefault,
      time: { timezone: 'Europe/Zurich', ntp_servers: ['192.0.2.1'] },
    });
  });

  it.each([
    ['misspells a key', 'interfaces: [{name: mgmt, hwaddr: enp5s0, adresses: [192.0.2.10/24]}]'],
    ['is no YAML', 'interfaces: ['],
    ['names a card that is not there', 'interfaces: [{name: mgmt, hwaddr: "10:66:6a:ff:ff:ff"}]'],
    ['breaks a rule', 'interfaces: [{name: mgmt, hwaddr: enp5s0, addresses: [192.0.2.300/24]}]'],
    ['has an impossible timeout', 'default_confirmation_timeout: soon'],
  ])('is reachable as without a seed when the seed %s', async (_why, yaml) => {
    await seed('network.yaml', yaml);
    await boot();
    const { config } = await appliance.network();
    expect(config).toMatchObject({ interfaces: byDefault, time: { timezone: 'UTC' } });
    expect(config?.default_confirmation_timeout).toBeUndefined();
  });
});
