/** Neighbours that tell each other who they are, by IEEE 802.1AB: the machine's networkd and lldpd. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { configure, seen } from './configuration.ts';

/** networkd speaks every 30 s when nobody new is heard. */
const heardMs = 120_000;

async function heard(lab: Lab): Promise<void> {
  const { machine, neighbour, cables } = await lab.pair({ cables: 2 });
  const [cable, silent] = cables;
  assert.ok(silent !== undefined);
  const rest = await machine.rest();
  await neighbour.run(
    `lldpd -I ${cable.port},${silent.port} -C ${cable.port}
    for try in $(seq 30); do lldpcli show chassis >/dev/null 2>&1 && break; sleep 1; done
    lldpcli configure system hostname switch.example.test
    lldpcli configure lldp portidsubtype ifname
    lldpcli configure lldp tx-interval 2`,
  );
  await configure(rest, {
    dns: { hostname: 'talkative', domain: '' },
    interfaces: [
      { name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'], lldp: true },
      { name: 'quiet', hwaddr: silent.mac, addresses: ['192.0.2.130/25'] },
    ],
  });
  const state = await seen(rest, 'lan', 'a neighbour', ({ lldp = [] }) => lldp.length > 0, heardMs);
  lab.note('what the machine heard', JSON.stringify(state.lldp, undefined, 2));
  const [first, ...others] = state.lldp ?? [];
  assert.deepEqual(others, []);
  assert.equal(first?.name, 'switch.example.test');
  assert.equal(first.port_id, cable.port);
  assert.match(first.chassis_id ?? '', /^52:54:00:6e:62:01$/iu);

  const told = await until(
    'the machine among the neighbours of lldpd',
    heardMs,
    async () => {
      const text = await neighbour.run('lldpcli -f keyvalue show neighbors');
      return text.includes('talkative') ? text : undefined;
    },
    { everyMs: 2_000 },
  );
  lab.note('what lldpd heard', told);
  assert.match(told, new RegExp(`^lldp\\.${cable.port}\\.chassis\\.name=talkative$`, 'mu'));
  assert.doesNotMatch(told, new RegExp(`^lldp\\.${silent.port}\\.`, 'mu'), 'a silent interface spoke');
  const { lldp = [] } = await seen(rest, 'quiet', 'a state', () => true);
  assert.deepEqual(lldp, [], 'an interface without LLDP listened');
}

export const lldpScenarios: readonly Scenario[] = [
  {
    name: 'network/lldp',
    sentence:
      'a switch is heard by LLDP and hears the machine, on the interface that says so and on no other',
    needs: ['running', 'neighbour'],
    quick: true,
    run: heard,
  },
];
