/** The network of a first boot: as its seed says, or else by the default. */
import assert from 'node:assert/strict';
import { macOf } from '../../hardware/nic.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { deviceIs, readNetwork } from './network-api.ts';

const startMs = 3 * 60_000;

async function seeded(lab: Lab): Promise<void> {
  const mac = macOf('enp5s0');
  const machine = await lab.fresh({
    nics: ['enp6s0=hub:1', 'enp7s0=hub:1'],
    seeds: {
      'network.yaml': [
        'version: "1"',
        'dns:',
        '  hostname: seeded',
        '  domain: example.net',
        'time:',
        '  timezone: Europe/Vienna',
        'interfaces:',
        '  - name: first',
        `    hwaddr: ${mac}`,
        '    addresses: [dhcp4]',
        '    roles: [management]',
        '    required_for_online: ipv4',
        'bonds:',
        '  - name: uplink',
        '    mode: active-backup',
        '    members: [enp6s0, enp7s0]',
        'vlans:',
        '  - name: lab',
        '    parent: uplink',
        '    id: 42',
        '    addresses: [10.42.0.2/24]',
        '    required_for_online: "no"',
        '',
      ].join('\n'),
    },
  });
  await machine.boot();
  const rest = await machine.rest();
  const { config } = await readNetwork(rest);
  assert.deepEqual(
    config.interfaces?.map(({ name, hwaddr, addresses }) => ({ name, hwaddr, addresses })),
    [{ name: 'first', hwaddr: mac, addresses: ['dhcp4'] }],
  );
  assert.deepEqual(config.bonds?.[0]?.members, [macOf('enp6s0'), macOf('enp7s0')]);
  const first = await deviceIs(rest, 'first', 'has an address', ({ state }) => state === 'routable');
  assert.deepEqual(first.addresses, ['10.0.2.15']);
  assert.deepEqual(first.roles, ['management', 'cluster']);
  await deviceIs(rest, 'lab', 'has an address', ({ addresses = [] }) => addresses.includes('10.42.0.2'));
  const facts = await machine.inGuest('hostname; readlink /etc/localtime; cat /proc/net/vlan/config');
  assert.match(facts, /^seeded\n.*Europe\/Vienna\n[^]*lab +\| 42 +\| _vuplink/u);
}

async function byDefault(lab: Lab): Promise<void> {
  const machine = await lab.running();
  const rest = await machine.rest();
  const { config, state } = await until('the network of the start', startMs, async () => {
    const network = await readNetwork(rest);
    return network.state.configuration_in_process ? undefined : network;
  });
  assert.deepEqual(
    config.interfaces?.map(({ name, hwaddr, addresses, required_for_online: online }) => ({
      ...{ name, hwaddr, addresses, online },
    })),
    [{ name: 'enp5s0', hwaddr: macOf('enp5s0'), addresses: ['dhcp4', 'slaac'], online: 'no' }],
  );
  assert.equal(state.interfaces['enp5s0']?.state, 'routable');
  assert.ok(state.interfaces['enp5s0'].addresses?.includes('10.0.2.15'));
  // Nobody but the API listens to the network: not the resolver for its neighbours' questions (LLMNR), either.
  const listening = await machine.inGuest(
    "ss -Hlntu | awk '{ print $1, $5 }' | grep -vE ' (127\\.|\\[::1\\])' || true",
  );
  const ports = listening.match(/(?:tcp|udp) .*:\d+$/gmu) ?? [];
  assert.deepEqual(
    ports.filter((port) => !/:(?:8443|68|546)$/u.test(port)),
    [],
    'something else listens',
  );
  assert.equal(
    await machine.inGuest('journalctl --no-pager -q -o cat -b -u systemd-networkd -p warning'),
    '',
  );
}

export const seedScenarios: readonly Scenario[] = [
  {
    name: 'network/default',
    sentence: 'without a seed every card asks for its addresses, and nothing but the API listens',
    needs: ['running'],
    run: byDefault,
  },
  {
    name: 'network/seed',
    sentence: 'a first boot has the network that its seed describes',
    needs: [],
    minutes: 30,
    run: seeded,
  },
];
