/** What a change to one device does to the others: nothing. */
import assert from 'node:assert/strict';
import { say } from '../../../../image/tools/sentence.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import {
  type Config,
  fixedFirstCard,
  type Interface,
  readNetwork,
  setClock,
  setNetwork,
  type Vlan,
} from './network-api.ts';
import { Peer } from './peer.ts';

const watch = '/run/e2e-monitor';

/** A link of which the kernel tells that it is up, as it does with each change of what is stacked on it. */
const unchangedLink = /^\d+: [^:]+: <[^>]*\bUP,LOWER_UP\b/u;

/** Begins to write down what the kernel tells about links, addresses and routes. */
async function startMonitor(machine: TestMachine): Promise<void> {
  await machine.inGuest(
    [
      'systemctl stop e2e-monitor 2>/dev/null',
      `: >${watch}`,
      `systemd-run --quiet --collect --unit=e2e-monitor -p StandardOutput=append:${watch} ip -o monitor link address route`,
      // It listens once it tells of a change.
      `until grep -q e2emark ${watch}; do ip link add e2emark type dummy; ip link del e2emark; sleep 0.2; done`,
      `: >${watch}`,
    ].join('\n'),
  );
}

/** What the kernel told since about devices of these names. */
async function toldAbout(machine: TestMachine, devices: readonly string[]): Promise<string[]> {
  const told = await machine.inGuest(`sleep 1; cat ${watch}`);
  const names = devices.join('|');
  const mentioned = new RegExp(`(?:^|[ :@])(?:${names})(?:$|[ :@\\\\])`, 'u');
  return told.split('\n').filter((line) => mentioned.test(line) && !unchangedLink.test(line));
}

async function untouched(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const rest = await machine.rest();
  const peer = await Peer.attach(machine, 2);
  const [first] = (await readNetwork(rest)).config.interfaces ?? [];
  const [a, b] = peer.cables;
  assert.ok(first !== undefined && a !== undefined && b !== undefined);
  await machine.inGuest(
    [
      'set -e',
      `ip -n peer address add 10.77.1.1/24 dev ${a.other}`,
      `ip -n peer link add link ${a.other} name ${a.other}.10 type vlan id 10`,
      `ip -n peer link set ${a.other}.10 up`,
      `ip -n peer address add 10.77.10.1/24 dev ${a.other}.10`,
      `ip -n peer address add 10.77.2.1/24 dev ${b.other}`,
    ].join('\n'),
  );
  await peer.answerNames('10.77.1.1');
  const quiet: Interface = {
    ...{ name: 'quiet', hwaddr: a.mac, addresses: ['10.77.1.2/24'], required_for_online: 'ipv4' },
    routes: [{ to: '10.78.0.0/16', via: '10.77.1.1' }],
  };
  const busy: Interface = {
    ...{ name: 'busy', hwaddr: b.mac, addresses: ['10.77.2.2/24'], required_for_online: 'ipv4' },
  };
  const still: Vlan = { name: 'still', parent: 'quiet', id: 10, addresses: ['10.77.10.2/24'] };
  const fixed: Config = {
    dns: { hostname: '', domain: '', nameservers: ['10.77.1.1'] },
    interfaces: [fixedFirstCard(first.hwaddr), quiet],
    vlans: [still],
  };
  const interfaces = fixed.interfaces ?? [];
  const withBusy = (changed: Partial<Interface>): Config => ({
    ...fixed,
    interfaces: [...interfaces, { ...busy, ...changed }],
  });
  await setNetwork(rest, withBusy({}));
  const talk = await peer.talk('10.77.1.2');
  const vlanTalk = await peer.talk('10.77.10.2');
  const busyVlan = { name: 'v20', parent: 'busy', id: 20, addresses: ['10.77.20.2/24'] };
  const quietVlan = { name: 'v30', parent: 'quiet', id: 30, addresses: ['10.77.30.2/24'] };

  const hex = (mac: string): string => mac.replaceAll(':', '');
  const below = ['quiet', `_p${hex(a.mac)}`, `_i${hex(a.mac)}`];
  const carrying = ['_vquiet', 'still'];
  const firstDevices = ['enp5s0', '_venp5s0', `_p${hex(first.hwaddr)}`, `_i${hex(first.hwaddr)}`];
  const busyDevices = ['busy', '_vbusy', `_p${hex(b.mac)}`, `_i${hex(b.mac)}`];
  const all = [...firstDevices, ...below, ...carrying];
  /** Changes, with the devices that they must not touch. */
  const changes: readonly (readonly [string, Config, readonly string[]])[] = [
    ['a VLAN on another interface', { ...withBusy({}), vlans: [still, busyVlan] }, all],
    [
      'another id of that VLAN',
      { ...withBusy({}), vlans: [still, { ...busyVlan, id: 21 }] },
      [...all, ...busyDevices.slice(0, 1)],
    ],
    ['no such VLAN', withBusy({}), all],
    ['VLAN tags of another interface', withBusy({ vlan_tags: [40, 41] }), all],
    ['the MTU of another interface', withBusy({ vlan_tags: [40, 41], mtu: 1400 }), all],
    ['LLDP on another interface', withBusy({ lldp: true }), all],
    ['another address of another interface', withBusy({ addresses: ['10.77.2.3/24'] }), all],
    ['offloads of another interface', withBusy({ ethernet: { disable_gro: true } }), all],
    ['no other interface', fixed, all],
    ['another interface', withBusy({}), all],
    [
      'one more VLAN beside it',
      { ...withBusy({}), vlans: [still, quietVlan] },
      [...firstDevices, ...busyDevices, 'still'],
    ],
    ['no VLAN beside it', withBusy({}), [...firstDevices, ...busyDevices, 'still']],
    ['the same again', withBusy({}), [...all, ...busyDevices]],
  ];
  const touched: Record<string, string> = {};
  for (const [what, config, devices] of changes) {
    say(`  ${what}`);
    const before = await indexes(machine, all);
    await startMonitor(machine);
    await setNetwork(rest, config);
    const told = await toldAbout(machine, devices);
    if (told.length > 0) touched[what] = told.join('\n');
    assert.equal(await indexes(machine, all), before, `${what} made other devices anew`);
    await talk.assertGoesOn();
    await vlanTalk.assertGoesOn();
  }
  assert.deepEqual(touched, {}, 'changes touched other devices');
}

/** How the devices are known to the kernel, how often each lost its carrier, and what else must not change. */
function indexes(machine: TestMachine, devices: readonly string[]): Promise<string> {
  return machine.inGuest(
    `cd /sys/class/net && for d in ${devices.join(' ')}; do echo $d $(cat $d/ifindex $d/carrier_changes $d/mtu $d/address); done`,
  );
}

export const untouchedScenarios: readonly Scenario[] = [
  {
    name: 'network/untouched',
    sentence: 'a change to one interface is nothing to the others, not even to their addresses and routes',
    needs: ['running'],
    minutes: 30,
    run: untouched,
  },
];
