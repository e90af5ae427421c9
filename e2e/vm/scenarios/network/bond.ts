/** A bond with a VLAN for the management, made with the official client as a person would do it. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import type { TestMachine } from '../../harness/test-machine.ts';
import { until } from '../../harness/wait.ts';
import {
  assertSameConfig,
  type Config,
  deviceIs,
  fixedFirstCard,
  journalCursor,
  journalSince,
  setClock,
} from './network-api.ts';
import { OfficialClient } from './official-client.ts';
import { Peer } from './peer.ts';

const rollbackMs = 5 * 60_000;
const rebootMs = 12 * 60_000;
/** The address of the management, and that of its other end. */
const management = '10.77.10.2';
const gateway = '10.77.10.1';

async function bondWithVlan(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const peer = await Peer.attach(machine, 2);
  await peer.join('bridge', { 10: `${gateway}/24` });
  await peer.answerNames(gateway);
  const client = await OfficialClient.of(machine);
  const [first] = (await client.network()).config.interfaces ?? [];
  assert.ok(first !== undefined, 'the machine has no first card');
  const config: Config = {
    dns: { hostname: 'bonded', domain: 'example.net', nameservers: [gateway] },
    interfaces: [fixedFirstCard(first.hwaddr)],
    bonds: [{ name: 'uplink', mode: 'active-backup', members: peer.cables.map(({ card }) => card) }],
    vlans: [
      {
        ...{ name: 'mgmt', parent: 'uplink', id: 10, roles: ['management'], required_for_online: 'ipv4' },
        addresses: [`${management}/24`],
        routes: [{ to: '0.0.0.0/0', via: gateway }],
      },
    ],
  };

  const edited = await client.edit({ ...config, confirmation_timeout: '10m' });
  assert.equal(edited.exitCode, 0, edited.stderr);
  await peer.assertReaches(management);
  const pending = await client.network();
  assert.deepEqual(pending.state.interfaces['mgmt']?.roles, ['management', 'cluster']);
  assert.equal(pending.config.confirmation_timeout, undefined);
  await client.succeed('system network confirm');
  const { config: confirmed } = await client.network();
  assert.deepEqual(
    confirmed.bonds?.[0]?.members,
    peer.cables.map(({ mac }) => mac),
  );

  await assertTakenBack(machine, client, peer, confirmed);
  await assertExpires(client, peer, confirmed);

  const bootId = async (): Promise<string> =>
    (await machine.guest('cat /proc/sys/kernel/random/boot_id')).output.trim();
  const before = await bootId();
  await client.succeed('system reboot', 'yes\n');
  machine.disconnect();
  await until('the next boot', rebootMs, async () => {
    const now = await bootId();
    return now !== before && now.length === before.length ? true : undefined;
  });
  await machine.ready();
  await peer.begin();
  await peer.join('bridge', { 10: `${gateway}/24` });
  await peer.answerNames(gateway);
  await peer.assertReaches(management);
  const after = await client.network();
  assertSameConfig(after.config, confirmed);
  const { members = {}, state } = await deviceIs(
    await machine.rest(),
    'uplink',
    'has its members',
    ({ members: found = {} }) => Object.keys(found).length === 2,
  );
  assert.notEqual(state, 'no-carrier');
  for (const member of Object.values(members)) assert.equal(member.state, 'enslaved');
}

/** A bond of a VLAN that nobody answers on is taken back by itself, and says why to the client, in the state and the log. */
async function assertTakenBack(
  machine: TestMachine,
  client: OfficialClient,
  peer: Peer,
  confirmed: Config,
): Promise<void> {
  const cursor = await journalCursor(machine);
  const [mgmt] = confirmed.vlans ?? [];
  assert.ok(mgmt !== undefined);
  const { exitCode, stderr } = await client.edit({
    ...confirmed,
    vlans: [{ ...mgmt, id: 99, addresses: ['dhcp4'], routes: [] }],
    confirmation_timeout: '10m',
  });
  const why = /timed out waiting for the network to come online: mgmt has no usable address/u;
  assert.notEqual(exitCode, 0, 'a VLAN without a DHCP server was taken');
  assert.match(stderr, why);
  const { config, state } = await client.network();
  assertSameConfig(config, confirmed);
  assert.match(state.last_change?.reason ?? '', why);
  assert.match(await journalSince(machine, cursor, '-t incus-osd'), why);
  await peer.assertReaches(management);
}

/** A configuration that comes up but leads nowhere isn't confirmed, and goes by itself. */
async function assertExpires(client: OfficialClient, peer: Peer, confirmed: Config): Promise<void> {
  const [mgmt] = confirmed.vlans ?? [];
  assert.ok(mgmt !== undefined);
  const edited = await client.edit({
    ...confirmed,
    // A name server that doesn't answer would end it before.
    dns: { hostname: 'bonded', domain: 'example.net' },
    vlans: [{ ...mgmt, addresses: ['10.99.10.2/24'], routes: [], required_for_online: 'no' }],
    confirmation_timeout: '20s',
  });
  assert.equal(edited.exitCode, 0, edited.stderr);
  assert.equal(await peer.reaches(management), 0, 'the old address is still there');
  await until('the previous configuration', rollbackMs, async () => {
    const { config, state } = await client.network();
    const back = config.vlans?.[0]?.addresses?.[0] === mgmt.addresses?.[0];
    return back && !state.configuration_in_process ? true : undefined;
  });
  const { config, state } = await client.network();
  assertSameConfig(config, confirmed);
  assert.match(state.last_change?.reason ?? '', /not confirmed within/u);
  await peer.assertReaches(management);
}

export const bondScenarios: readonly Scenario[] = [
  {
    name: 'network/bond',
    sentence:
      'the official client makes a bond with a management VLAN, which survives a reboot; wrong ones go by themselves',
    needs: ['running'],
    minutes: 30,
    run: bondWithVlan,
  },
];
