import { AddonHostService, ServiceOVNConfig } from '@incusos/contracts/addons';
import { StateOwnerService, type StageImportRequest, type StateFile } from '@incusos/contracts/state';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';

const config = (address: string): object => ({
  interfaces: [{ name: 'enp5s0', hwaddr: enp5s0, addresses: [address], required_for_online: 'no' }],
});

describe('what the network service owns', () => {
  let appliance: NetworkAppliance;
  beforeAll(async () => {
    appliance = await NetworkAppliance.started();
  });
  afterAll(() => appliance.remove());

  const owner = () => appliance.connection.use(StateOwnerService);
  const exported = async (): Promise<StateFile[]> => {
    const files: StateFile[] = [];
    for await (const { file } of owner().exportState({})) if (file !== undefined) files.push(file);
    return files;
  };
  async function restore(files: StateFile[], id: string, skip: string[] = []): Promise<void> {
    async function* messages(): AsyncGenerator<StageImportRequest> {
      yield { restore_id: id, skip, schema_version: 1, file: undefined };
      for (const file of files) yield { restore_id: '', skip: [], schema_version: 0, file };
    }
    await owner().stageImport(messages());
    await owner().commitImport({ restore_id: id });
  }
  const addresses = async (): Promise<string[]> =>
    (await appliance.network()).config?.interfaces[0]?.addresses ?? [];

  it('can be backed up and brought back, and takes effect at once', async () => {
    await appliance.set(config('192.0.2.10/24'));
    const backup = await exported();
    await appliance.set(config('192.0.2.20/24'));
    await restore(backup, 'r1');
    await eventually(async () => (await appliance.interfaceState('enp5s0')).addresses.includes('192.0.2.10'));
    expect(await addresses()).toEqual(['192.0.2.10/24']);
  });

  it('finds the cards of another machine by their names', async () => {
    await appliance.set(config('192.0.2.10/24'));
    const backup = await exported();
    const elsewhere = backup.map((file) => ({ ...file, content: Buffer.from(file.content) }));
    await restore(elsewhere, 'r2', ['network-macs']);
    await eventually(async () => (await appliance.network()).config?.interfaces[0]?.hwaddr === enp5s0);
    await eventually(async () => (await appliance.interfaceState('enp5s0')).addresses.includes('192.0.2.10'));
  });

  it('goes back to the defaults of a first boot', async () => {
    await owner().resetState({});
    await eventually(async () => (await addresses()).includes('dhcp4'));
  });

  it('lists its add-ons and shows them', async () => {
    const addons = appliance.connection.use(AddonHostService);
    expect(await addons.listAddons({})).toEqual({ names: ['netbird', 'ovn', 'tailscale'] });
    expect((await addons.getAddon({ name: 'ovn' })).addon).toMatchObject({
      $case: 'ovn',
      value: { config: { enabled: false } },
    });
    await expect(addons.getAddon({ name: 'lvm' })).rejects.toMatchObject({ reason: 'NOT_FOUND' });
    await expect(addons.setAddonConfig({ name: 'ovn', config: undefined })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    await expect(addons.resetAddon({ name: 'netbird' })).rejects.toMatchObject({
      message: "reset isn't supported by this service",
    });
  });

  it('brings its add-ons back as they were, and off again after a reset', async () => {
    const addons = appliance.connection.use(AddonHostService);
    const set = (tunnel_address: string) =>
      addons.setAddonConfig({
        name: 'ovn',
        config: {
          $case: 'ovn',
          value: ServiceOVNConfig.fromPartial({
            enabled: true,
            database: 'tcp:192.0.2.9:6642',
            tunnel_address,
          }),
        },
      });
    const encap = () => appliance.machine.read().network.addons.open_vswitch.external_ids['ovn-encap-ip'];
    const controller = () => appliance.machine.read().system.units['ovn-controller.service']?.active;
    await set('192.0.2.21');
    const backup = await exported();
    await set('192.0.2.22');
    await restore(backup, 'r3');
    await eventually(() => Promise.resolve(encap() === '192.0.2.21'));
    await owner().resetState({});
    await eventually(() => Promise.resolve(controller() === 'inactive'));
  });
});

describe('a bond with a vlan', () => {
  it('comes up over two cards and gives them back', async () => {
    const appliance = await NetworkAppliance.started();
    try {
      await appliance.command('nic add', 'enp6s0');
      await appliance.set({
        bonds: [
          {
            name: 'uplink',
            mode: 'active-backup',
            members: ['enp5s0', 'enp6s0'],
            addresses: ['dhcp4'],
            lldp: true,
          },
        ],
        vlans: [
          { name: 'mgmt', id: 100, parent: 'uplink', addresses: ['198.51.100.5/24'], roles: ['management'] },
        ],
      });
      const { state } = await appliance.network();
      expect(state?.interfaces['uplink']).toMatchObject({ type: 'bond', state: 'routable', hwaddr: enp5s0 });
      expect(Object.keys(state?.interfaces['uplink']?.members ?? {})).toEqual([
        '_p10666a000001',
        '_p10666a000002',
      ]);
      expect(state?.interfaces['uplink']?.members['_p10666a000002']).toMatchObject({
        type: 'bond_member',
        state: 'enslaved',
        lldp: [{ name: 'switch.lan.example', port_id: 'port2' }],
      });
      expect(state?.interfaces['mgmt']).toMatchObject({
        type: 'vlan',
        state: 'routable',
        addresses: ['198.51.100.5'],
        roles: ['management', 'cluster'],
      });
      const released = (): number | undefined =>
        appliance.machine.read().network.links.find(({ name }) => name === '_p10666a000002')?.master;
      expect(released()).toBeDefined();
      await appliance.set({
        bonds: [{ name: 'uplink', mode: 'active-backup', members: ['enp5s0'], addresses: ['dhcp4'] }],
      });
      expect(released()).toBeUndefined();
      await appliance.set({
        bonds: [
          {
            name: 'uplink',
            mode: 'active-backup',
            members: ['enp5s0'],
            addresses: ['dhcp4'],
            bridge: { stp: true },
            options: { mii_monitor_interval: 50 },
          },
        ],
        vlans: [{ name: 'mgmt', id: 101, parent: 'uplink', addresses: ['198.51.100.5/24'] }],
      });
      await appliance.set({
        bonds: [{ name: 'uplink', mode: 'active-backup', members: ['enp5s0'], addresses: ['dhcp4'] }],
        vlans: [{ name: 'mgmt', id: 102, parent: 'uplink', addresses: ['198.51.100.5/24'] }],
      });
      const links = new Map(appliance.machine.read().network.links.map((link) => [link.name, link]));
      expect(links.get('_p10666a000001')?.master).toBe(links.get('_buplink')?.index);
      expect(links.get('_buplink')?.master).toBe(links.get('uplink')?.index);
      expect(links.get('_i10666a000001')?.master).toBe(links.get('uplink')?.index);
      expect(links.get('mgmt')?.vlan_id).toBe(102);
      await appliance.set(config('192.0.2.10/24'));
      await eventually(
        async () => (await appliance.network()).state?.interfaces['enp6s0']?.type === 'physical',
      );
      expect(
        appliance.machine
          .read()
          .network.links.map(({ name }) => name)
          .toSorted(),
      ).toEqual(['_i10666a000001', '_p10666a000001', '_p10666a000002', '_venp5s0', 'enp5s0', 'lo']);
    } finally {
      await appliance.remove();
    }
  });
});
