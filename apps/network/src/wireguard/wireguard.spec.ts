import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { enp5s0, NetworkAppliance } from '../testing/network-appliance.ts';

const card = { name: 'enp5s0', hwaddr: enp5s0, addresses: ['192.0.2.10/24'] };
const dns = { hostname: '', domain: '', nameservers: ['192.0.2.1'] };
const peer = {
  public_key: 'kNVmYGHQ7bKVNfvJgWcCSCOlM8cBIhe0TzEbe+m8JW0=',
  allowed_ips: ['10.0.0.2/32'],
  endpoint: '192.0.2.1:51820',
  persistent_keepalive: 25,
};
const tunnel = { name: 'site', port: 51_820, addresses: ['10.0.0.1/24'] };
const withTunnels = (...wireguard: object[]): object => ({ interfaces: [card], dns, wireguard });
const file = '/run/systemd/network/13-site.netdev';

describe('a tunnel of a machine', () => {
  let appliance: NetworkAppliance;
  beforeEach(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterEach(() => appliance.remove());

  const key = async (): Promise<string> => {
    const [one] = (await appliance.network()).config?.wireguard ?? [];
    return one?.private_key ?? '';
  };
  const device = (): { index: number; key: string; peers: number } | undefined => {
    const link = appliance.machine.read().network.links.find(({ name }) => name === 'site');
    if (link === undefined) return undefined;
    const { private_key: secret = null, peers = [] } = link.wireguard ?? {};
    return { index: link.index, key: secret ?? '', peers: peers.length };
  };

  it('gets a key of its own, which the configuration has and its peers are told of', async () => {
    await appliance.set(withTunnels(tunnel));
    expect(await key()).toMatch(/^[\w+/]{43}=$/u);
    expect(device()).toMatchObject({ key: await key(), peers: 0 });
    expect(await appliance.machine.files.stat(file)).toMatchObject({ mode: 0o640 });
  });

  it('keeps its device and its key when a peer comes and goes', async () => {
    await appliance.set(withTunnels(tunnel));
    const [before, secret] = [device(), await key()];
    await appliance.set(withTunnels({ ...tunnel, peers: [peer] }));
    expect(device()).toEqual({ ...before, peers: 1 });
    expect(await key()).toBe(secret);
    await appliance.set(withTunnels(tunnel));
    expect(device()).toEqual(before);
  });

  it('takes the key that it is given', async () => {
    await appliance.set(withTunnels(tunnel));
    const before = device();
    await appliance.set(withTunnels({ ...tunnel, private_key: peer.public_key }));
    expect(device()).toEqual({ ...before, key: peer.public_key });
  });

  it('goes with its files, and comes back when the change is taken back', async () => {
    await appliance.set(withTunnels({ ...tunnel, peers: [peer] }));
    const [before, secret] = [device(), await key()];
    const nowhere = { ...card, addresses: ['198.51.100.10/24'] };
    await expect(
      appliance.set({ interfaces: [nowhere], dns: { ...dns, nameservers: ['198.51.100.53'] } }),
    ).rejects.toMatchObject({ reason: 'OPERATION_FAILED' });
    expect(device()).toMatchObject({ key: secret, peers: 1 });
    expect(device()?.index).not.toBe(before?.index);
    await appliance.set({ interfaces: [card], dns });
    expect(device()).toBeUndefined();
    expect(await appliance.file(file)).toBeUndefined();
  });

  it('alone is no network', async () => {
    await expect(appliance.set({ wireguard: [tunnel] })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
      message: 'network configuration has no devices defined',
    });
  });
});
