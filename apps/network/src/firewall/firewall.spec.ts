import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from '../testing/network-appliance.ts';

const card = { name: 'enp5s0', hwaddr: enp5s0, addresses: ['192.0.2.10/24'] };
const dns = { hostname: '', domain: '', nameservers: ['192.0.2.1'] };
const guarded = {
  interfaces: [
    {
      ...card,
      strict_hwaddr: true,
      firewall_rules: [{ action: 'accept', protocol: 'tcp', port: 8443 }, { action: 'drop' }],
    },
  ],
  dns,
};
const guardedChains = { input: 7, forward: 1, 'mac-filters': 1, 'conntrack-bypass': 1 };
const openChains = { input: 0, forward: 1, 'mac-filters': 0, 'conntrack-bypass': 1 };

describe('the firewall of a machine', () => {
  let appliance: NetworkAppliance;
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterEach(() => appliance.remove());

  /** How many rules each chain of ours has. */
  const chains = (): Record<string, number> =>
    Object.fromEntries(
      appliance.machine
        .read()
        .network.nftables.filter(({ name }) => name === 'incus-osd')
        .flatMap((table) => table.chains.map(({ name, rules }) => [name, rules.length])),
    );

  it('follows the configuration', async () => {
    expect(chains()).toEqual(openChains);
    await appliance.set(guarded);
    expect(chains()).toEqual(guardedChains);
    expect((await appliance.network()).config?.interfaces[0]?.firewall_rules).toMatchObject(
      guarded.interfaces[0]?.firewall_rules ?? [],
    );
    await appliance.set({ interfaces: [card], dns });
    expect(chains()).toEqual(openChains);
  });

  it('comes back with a configuration that comes back', async () => {
    await appliance.set(guarded);
    const nowhere = { ...card, addresses: ['198.51.100.10/24'] };
    await expect(
      appliance.set({ interfaces: [nowhere], dns: { ...dns, nameservers: ['198.51.100.53'] } }),
    ).rejects.toMatchObject({ reason: 'OPERATION_FAILED' });
    expect(chains()).toEqual(guardedChains);
  });

  it('that the kernel refuses leaves everything as it was', async () => {
    await appliance.set({ interfaces: [card], dns });
    // Someone hooked in a chain of our name elsewhere.
    const hookInput = (hook: string): Promise<void> =>
      appliance.machine.change(({ network }) => {
        network.nftables = network.nftables.map((table) => ({
          ...table,
          chains: table.chains.map((chain) => (chain.name === 'input' ? { ...chain, hook } : chain)),
        }));
      });
    await hookInput('output');
    await expect(
      appliance.set({ ...guarded, interfaces: [{ ...guarded.interfaces[0], name: 'other' }] }),
    ).rejects.toMatchObject({
      reason: 'OPERATION_FAILED',
      message: expect.stringContaining(
        'the firewall rules could not be loaded: Could not process rule: File exists',
      ) as string,
    });
    expect(await appliance.file('/run/systemd/network/20-_vother.network')).toBeUndefined();
    expect((await appliance.network()).config?.interfaces[0]?.name).toBe('enp5s0');
    await hookInput('input');
    await appliance.set(guarded);
    expect(chains()).toEqual(guardedChains);
  });

  it('is there again when the service starts on a machine without rules', async () => {
    await appliance.set(guarded);
    await appliance.stop();
    await appliance.machine.change(({ network }) => {
      network.nftables = [];
    });
    await appliance.start();
    await eventually(() => Promise.resolve(chains()['input'] === guardedChains.input));
  });

  it('says which rule is wrong', async () => {
    const rules = [{ action: 'accept' }, { action: 'accept', source: 'everyone' }];
    await expect(
      appliance.set({ interfaces: [{ ...card, firewall_rules: rules }], dns }),
    ).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'interface 0 bad address "everyone"',
      fields: [{ field: 'config.interfaces[0].firewall_rules[1].source' }],
    });
  });
});
