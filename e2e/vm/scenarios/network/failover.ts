/** Bonds in all their modes, and cables that are pulled. */
import assert from 'node:assert/strict';
import { say } from '../../../../image/tools/sentence.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import {
  type Config,
  deviceIs,
  fixedFirstCard,
  journalCursor,
  journalSince,
  readNetwork,
  setClock,
  setNetwork,
} from './network-api.ts';
import { type Cable, Peer, type Switch } from './peer.ts';

/** What a switch has to be for each mode. */
const modes: Readonly<Record<string, Switch>> = {
  'active-backup': 'bridge',
  'balance-tlb': 'bridge',
  'balance-alb': 'bridge',
  'balance-rr': 'balance-xor',
  'balance-xor': 'balance-xor',
  broadcast: 'balance-xor',
  '802.3ad': '802.3ad',
};
/** Those in which the bond notices a cable by itself. */
const watchful = new Set(['active-backup', '802.3ad']);
/** What the kernel has while no switch answers. */
const nobody = '00:00:00:00:00:00';
const here = '10.77.0.2';
const there = '10.77.0.1';

async function failover(lab: Lab): Promise<void> {
  const machine = await lab.running();
  await setClock(machine);
  const rest = await machine.rest();
  const peer = await Peer.attach(machine, 2);
  const [first] = (await readNetwork(rest)).config.interfaces ?? [];
  assert.ok(first !== undefined);
  const member = ({ mac }: Cable): string => `_p${mac.replaceAll(':', '')}`;
  for (const [mode, kind] of Object.entries(modes)) {
    say(`  a bond in mode ${mode}`);
    const cursor = await journalCursor(machine);
    await peer.join(kind, { 0: `${there}/24` });
    if (mode === 'active-backup') await peer.answerNames(there);
    const config: Config = {
      dns: { hostname: '', domain: '', nameservers: [there] },
      interfaces: [fixedFirstCard(first.hwaddr)],
      bonds: [
        {
          ...{ name: 'uplink', mode, members: peer.cables.map(({ mac }) => mac) },
          ...{ addresses: [`${here}/24`], required_for_online: 'ipv4' },
        },
      ],
    };
    await setNetwork(rest, config);
    const bonding = await machine.inGuest(
      'cat /sys/class/net/_buplink/bonding/mode /sys/class/net/_buplink/bonding/slaves',
    );
    const [running = '', slaves = ''] = bonding.split('\n');
    assert.equal(running.split(' ')[0], mode);
    assert.deepEqual(slaves.split(' ').toSorted(), peer.cables.map(member).toSorted());
    await peer.assertReaches(here);
    if (watchful.has(mode)) await assertFailsOver(peer, mode);
    assert.equal(
      await journalSince(machine, cursor, '-u systemd-networkd -p warning'),
      '',
      `systemd-networkd warned in mode ${mode}`,
    );
  }

  async function assertFailsOver(joined: Peer, mode: string): Promise<void> {
    const talk = await joined.talk(here);
    if (mode === '802.3ad')
      await deviceIs(rest, 'uplink', 'has a partner', ({ members = {} }) =>
        Object.values(members).every(({ lacp }) => (lacp?.remote_mac ?? nobody) !== nobody),
      );
    for (const cable of joined.cables) {
      await joined.cable(cable, 'down');
      await deviceIs(
        rest,
        'uplink',
        `has lost ${cable.card} alone`,
        ({ members = {}, state }) => members[member(cable)]?.state === 'no-carrier' && state !== 'no-carrier',
      );
      await talk.assertGoesOn();
      await joined.cable(cable, 'up');
      await deviceIs(
        rest,
        'uplink',
        `has ${cable.card} again`,
        ({ members = {} }) => members[member(cable)]?.state === 'enslaved',
      );
    }
    for (const cable of joined.cables) await joined.cable(cable, 'down');
    await deviceIs(rest, 'uplink', 'has no cable', ({ state }) => state === 'no-carrier');
    for (const cable of joined.cables) await joined.cable(cable, 'up');
    await deviceIs(rest, 'uplink', 'is back', ({ state }) => state === 'routable');
    await talk.assertGoesOn();
  }
}

export const failoverScenarios: readonly Scenario[] = [
  {
    name: 'network/failover',
    sentence: 'bonds come up in all seven modes, and a conversation goes on when a cable is pulled',
    needs: ['running'],
    minutes: 30,
    run: failover,
  },
];
