import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SystemNetworkConfig } from '@incusos/contracts/network';
import type { Host } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { setEnergySaving } from './energy.ts';

const mac = '10:66:6A:00:00:01';
const card = '_p10666a000001';
const record = '/run/incus-os/network.eee-off';

describe('energy-efficient ethernet', () => {
  let directory: string;
  let machine: EmulatedMachine;
  let host: Host;
  let told: string[];

  const config = (off: boolean, kind: 'interface' | 'bond' = 'interface'): SystemNetworkConfig => {
    const ethernet = { disable_energy_efficient: off };
    return SystemNetworkConfig.fromPartial(
      kind === 'bond'
        ? { bonds: [{ name: 'b', mode: 'broadcast', members: [mac], ethernet }] }
        : { interfaces: [{ name: 'a', hwaddr: mac, ethernet }] },
    );
  };
  const savings = (): string => machine.read().network.links.find(({ name }) => name === card)?.eee ?? 'on';
  const withDriver = (driver: string): Promise<unknown> =>
    machine.change(({ network }) => {
      network.nics = network.nics.map((nic) => ({ ...nic, driver }));
      for (const link of network.links) if (link.name === 'enp5s0') link.name = card;
    });

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'eee-'));
    machine = new EmulatedMachine(directory);
    machine.create();
    await switchOn(machine);
    await withDriver('igb');
    const { files, programs } = openEmulatedHost(machine);
    told = [];
    host = {
      files,
      programs: {
        run: (argv, options) => {
          told.push(argv.join(' '));
          return programs.run(argv, options);
        },
        stream: (argv, options) => programs.stream(argv, options),
      },
    };
  });
  afterEach(() => rm(directory, { recursive: true, force: true }));

  it.each(['interface', 'bond'] as const)('is switched off on the cards of an %s', async (kind) => {
    await setEnergySaving(host, config(true, kind));
    expect(savings()).toBe('off');
  });

  it('costs no program where nobody speaks of it', async () => {
    await setEnergySaving(host, config(false));
    expect(told).toEqual([]);
  });

  it('is left alone on a card that is as wanted', async () => {
    await setEnergySaving(host, config(true));
    told.length = 0;
    await setEnergySaving(host, config(true));
    expect(told).toEqual([`ethtool --show-eee ${card}`]);
  });

  it('comes back with the configuration that did not speak of it', async () => {
    await setEnergySaving(host, config(true));
    await setEnergySaving(host, config(false));
    expect(savings()).toBe('on');
    expect(await host.files.exists(record)).toBe(false);
  });

  it('comes back although the change that switched it off was interrupted', async () => {
    await host.files.writeAtomic(record, `${mac.toLowerCase()}\n`);
    await host.programs.run(['ethtool', '--set-eee', card, 'eee', 'off']);
    await setEnergySaving(host, config(false));
    expect(savings()).toBe('on');
  });

  it('is no reason to fail for a card that has none, or is gone', async () => {
    await withDriver('virtio_net');
    await setEnergySaving(host, config(true));
    await machine.change(({ network }) => {
      network.links = network.links.filter(({ name }) => name !== card);
    });
    await setEnergySaving(host, config(true));
    expect(told.every((argv) => argv.startsWith('ethtool --show-eee'))).toBe(true);
  });
});
