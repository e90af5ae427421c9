/** Addresses and routes that are given. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { configure, seen } from './configuration.ts';

/** A network behind the neighbour, of which it has an address itself. */
const behind = '198.51.100.1';

async function staticAddress(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${cable.port}
    ip address add 2001:db8:2::1/64 dev ${cable.port} nodad
    ip address add ${behind}/32 dev lo`,
  );
  const rest = await machine.rest();
  await configure(rest, {
    interfaces: [
      {
        ...{ name: 'lan', hwaddr: cable.mac, required_for_online: 'both' },
        addresses: ['192.0.2.10/24', '2001:db8:2::10/64'],
        routes: [{ to: '198.51.100.0/24', via: '192.0.2.1' }],
      },
    ],
  });
  const state = await seen(rest, 'lan', 'its addresses', ({ addresses = [] }) =>
    ['192.0.2.10', '2001:db8:2::10'].every((one) => addresses.includes(one)),
  );
  lab.note('the state of lan', JSON.stringify(state, undefined, 2));
  assert.equal(state.state, 'routable');
  assert.equal(state.hwaddr, cable.mac);
  assert.ok(
    state.routes?.some(({ to, via }) => to === '198.51.100.0/24' && via === '192.0.2.1'),
    'the route is not in the state',
  );
  lab.note(
    'the neighbour pings the machine',
    await neighbour.run(`ping -c 3 -W 5 192.0.2.10
    ping -c 3 -W 5 2001:db8:2::10
    ip neigh show dev ${cable.port}`),
  );
  // The machine's own address on the cable is that of the configuration, not the card's random one.
  const heard = await neighbour.run(`ip -4 neigh show to 192.0.2.10 dev ${cable.port}`);
  assert.match(heard, new RegExp(`lladdr ${cable.mac} `, 'u'));
  lab.note(
    'what comes from behind the neighbour goes back by the route',
    await neighbour.run(`ping -c 3 -W 5 -I ${behind} 192.0.2.10`),
  );
}

export const staticScenarios: readonly Scenario[] = [
  {
    name: 'network/static',
    sentence: 'static addresses of both families and a route reach the other side of the cable and back',
    needs: ['running', 'neighbour'],
    quick: true,
    run: staticAddress,
  },
];
