/** Starts on machines where not everything goes well. */
import { SystemNetworkConfig } from '@incusos/contracts/network';
import { type Host, ProgramError } from '@incusos/host';
import { openEmulatedHost } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openNetworkState } from './network-state.ts';
import { enp5s0, eventually, NetworkAppliance } from './testing/network-appliance.ts';

const lan = {
  name: 'lan',
  hwaddr: enp5s0,
  addresses: ['192.0.2.10/24'],
  routes: [{ to: '0.0.0.0/0', via: '192.0.2.1' }],
};
const config = { interfaces: [lan], dns: { hostname: 'here', domain: '', nameservers: ['192.0.2.1'] } };

let appliance: NetworkAppliance;
let fails = false;

/** A machine too busy for one of its programs. */
const busyHost =
  (command: string) =>
  (host: Host): Host => ({
    ...host,
    programs: {
      run: (argv, options) => {
        if (!fails || !argv.join(' ').startsWith(command)) return host.programs.run(argv, options);
        const [program] = argv;
        return Promise.reject(
          new ProgramError('timed-out', program, '', undefined, `${program} did not finish within 30000 ms`),
        );
      },
      stream: (argv, options) => host.programs.stream(argv, options),
    },
  });

const problem = async (): Promise<string | undefined> => (await appliance.network()).state?.problem;

beforeEach(async () => {
  appliance = await NetworkAppliance.create();
  fails = true;
});

afterEach(() => appliance.remove());

describe('a start', () => {
  it.each(['hostnamectl', 'timedatectl set-timezone'])(
    'has a network although %s does not answer, and is complete once it does',
    async (command) => {
      await appliance.start();
      await appliance.settled();
      await appliance.set({ ...config, time: { timezone: 'Europe/Zurich', ntp_servers: [] } });
      await appliance.powerCycle();
      const { files } = appliance.machine;
      await files.writeAtomic('/proc/sys/kernel/hostname', 'localhost\n');
      await files.writeAtomic('/etc/hostname', 'localhost\n');
      await files.remove('/etc/localtime');
      await appliance.machine.change(({ network }) => {
        network.host_name = 'localhost';
        network.time_zone = 'UTC';
      });
      await appliance.start(busyHost(command));
      await eventually(async () => (await problem()) !== undefined);
      expect(await problem()).toContain('did not finish within 30000 ms');
      await eventually(async () => (await appliance.interfaceState('lan')).addresses.includes('192.0.2.10'));
      fails = false;
      await eventually(async () => (await problem()) === undefined);
      const { host_name: hostName, time_zone: timeZone } = appliance.machine.read().network;
      expect([hostName, timeZone]).toEqual(['here', 'Europe/Zurich']);
    },
  );

  it('tries again until networkd can be reached', async () => {
    await appliance.start(busyHost('networkctl reload'));
    await eventually(async () => (await problem()) !== undefined);
    fails = false;
    await eventually(async () => (await problem()) === undefined);
    await eventually(async () => (await appliance.interfaceState('enp5s0')).addresses.length > 0);
  });

  it('takes another configuration while the stored one can not be brought up', async () => {
    await appliance.start();
    await appliance.settled();
    await appliance.powerCycle();
    await appliance.start(busyHost('networkctl reload'));
    await eventually(async () => (await problem()) !== undefined);
    fails = false;
    await appliance.set(config);
    expect(await problem()).toBeUndefined();
    expect((await appliance.network()).state?.last_change?.outcome).toBe('applied');
  });

  it('uses the cards that it has when it is told of others by name, and these when they come', async () => {
    fails = false;
    await appliance.start();
    await appliance.settled();
    await appliance.stop();
    const store = await openNetworkState(openEmulatedHost(appliance.machine));
    const late = { name: 'late', hwaddr: 'enp9s0', addresses: ['dhcp4'], required_for_online: 'no' };
    await store.commit('a configuration from another machine', (state) => ({
      ...state,
      config: SystemNetworkConfig.fromPartial({
        ...state.config,
        interfaces: [...(state.config?.interfaces ?? []), late],
      }),
    }));
    await appliance.start();
    await eventually(async () => (await problem())?.includes('no network device enp9s0') === true);
    await eventually(async () => (await appliance.interfaceState('enp5s0')).addresses.length > 0);
    await appliance.command('nic add', 'enp9s0');
    await eventually(async () => (await problem()) === undefined);
    await eventually(async () => (await appliance.interfaceState('late')).addresses.length > 0);
    const { config: stored } = await appliance.network();
    expect(stored?.interfaces.find(({ name }) => name === 'late')?.hwaddr).toMatch(/^10:66:6a:/u);
  });

  it('waits for a card when the machine has none, and configures that', async () => {
    fails = false;
    await appliance.command('nic remove', 'enp5s0');
    await appliance.start();
    await eventually(async () => (await problem())?.includes('no network device') === true);
    expect((await appliance.network()).config).toBeUndefined();
    await appliance.command('nic add', 'enp7s0');
    await eventually(async () => (await problem()) === undefined);
    expect((await appliance.network()).config?.interfaces.map(({ name }) => name)).toEqual(['enp7s0']);
  });
});
