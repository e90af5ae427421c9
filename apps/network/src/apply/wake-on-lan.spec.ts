import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from '../testing/network-appliance.ts';

const enp6s0 = '10:66:6a:00:00:02';
const card = '_p10666a000001';

describe('a machine that its cards can wake', () => {
  let appliance: NetworkAppliance;
  /** Seconds that the machine slept. */
  let slept = 0;
  beforeEach(async () => {
    slept = 0;
    appliance = await NetworkAppliance.create();
    await appliance.command('nic add', 'enp6s0');
    await appliance.start((host) => ({
      ...host,
      files: Object.assign(Object.create(host.files) as typeof host.files, {
        readText: async (path: string): Promise<string> =>
          path === '/proc/uptime'
            ? `${(performance.now() / 1000 + slept).toFixed(2)} 0\n`
            : host.files.readText(path),
      }),
    }));
    await appliance.settled();
    const addresses = ['dhcp4'];
    await appliance.set({
      interfaces: [
        { name: 'lan', hwaddr: enp5s0, addresses, ethernet: { wakeonlan: true } },
        { name: 'other', hwaddr: enp6s0, addresses, required_for_online: 'no' },
      ],
    });
  });
  afterEach(() => appliance.remove());

  const macOf = (name: string): string | undefined =>
    appliance.machine.read().network.links.find((link) => link.name === name)?.mac;

  it('gets their own addresses back before it goes down, and the others when it was woken', async () => {
    const [random, other] = [macOf(card), macOf('_p10666a000002')];
    expect(random).not.toBe(enp5s0);
    await appliance.client.prepareForPowerChange({});
    expect(macOf(card)).toBe(enp5s0);
    expect(macOf('_p10666a000002')).toBe(other);
    slept = 3_600;
    await eventually(() => Promise.resolve(macOf(card) === random));
  });

  it('goes down also when a card does not take its address', async () => {
    await appliance.machine.change(({ network }) => {
      const link = network.links.find(({ name }) => name === card);
      if (link !== undefined) link.name = 'elsewhere';
    });
    await expect(appliance.client.prepareForPowerChange({})).resolves.toEqual({});
  });
});
