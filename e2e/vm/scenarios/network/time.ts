/** The clock, by a real time server: chrony. */
import assert from 'node:assert/strict';
import type { Lab, Pair, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import type { Neighbour } from '../../neighbour/neighbour.ts';
import { configure, networkPath, seen } from './configuration.ts';

const syncMs = 3 * 60_000;
/** How far the neighbour's clock is from everybody else's, so that nobody else can have set the machine's. */
const aheadSeconds = 5_400;
/** A machine without KVM on a busy computer answers late. */
const closeSeconds = 20;

interface TimeState {
  readonly synchronized: boolean;
  readonly server?: string;
  readonly last_synchronized?: string;
}

async function serveTime(neighbour: Neighbour): Promise<void> {
  await neighbour.run(
    `date --set=@$(($(date +%s) + ${aheadSeconds}))
    printf 'local stratum 3\\nallow all\\ncmdport 0\\npidfile /run/chronyd.pid\\ndriftfile /tmp/drift\\n' >/tmp/chrony.conf
    chronyd -x -u root -f /tmp/chrony.conf`,
  );
}

/** Waits until the API says that the clock follows `server`, and looks whether it does. */
async function follows(lab: Lab, { machine, neighbour }: Pair, server: string): Promise<void> {
  const rest = await machine.rest();
  const time = await until(
    'a clock that is synchronized',
    syncMs,
    async () => {
      const { state } = await rest.get<{ state: { time?: TimeState } }>(networkPath);
      if (state.time?.synchronized === true && state.time.server === server) return state.time;
      throw new Error(`the state is ${JSON.stringify(state.time)}`);
    },
    { everyMs: 1_000 },
  );
  lab.note('what the API says of the clock', JSON.stringify(time, undefined, 2));
  lab.note(
    'what timesyncd says',
    await machine.inGuest('timedatectl show-timesync; timedatectl show --property=NTPSynchronized'),
  );
  const now = Number(await neighbour.run('date +%s'));
  const machines = Number(await machine.inGuest('date +%s'));
  assert.ok(
    Math.abs(machines - now) < closeSeconds,
    `the machine's clock says ${machines}, its server's ${now}`,
  );
}

async function configured(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const {
    machine,
    neighbour,
    cables: [cable],
  } = pair;
  await neighbour.run(`ip address add 192.0.2.1/24 dev ${cable.port}`);
  await serveTime(neighbour);
  await configure(await machine.rest(), {
    time: { ntp_servers: ['192.0.2.1'], timezone: 'Europe/Helsinki' },
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'] }],
  });
  await follows(lab, pair, '192.0.2.1');
  assert.match(await machine.inGuest('date +%Z'), /^EES?T$/mu);
}

async function offered(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const {
    machine,
    neighbour,
    cables: [cable],
  } = pair;
  await neighbour.run(`ip address add 192.0.2.1/24 dev ${cable.port}`);
  await serveTime(neighbour);
  await neighbour.run(
    `dnsmasq --conf-file=/dev/null --port=0 --interface=${cable.port} --dhcp-leasefile=/tmp/leases \
      --dhcp-range=192.0.2.100,192.0.2.150,1h --dhcp-option=option:ntp-server,192.0.2.1`,
  );
  const rest = await machine.rest();
  await configure(rest, { interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['dhcp4'] }] });
  await seen(rest, 'lan', 'a lease', ({ addresses = [] }) => addresses.length > 0);
  await follows(lab, pair, '192.0.2.1');
}

export const timeScenarios: readonly Scenario[] = [
  {
    name: 'network/time',
    sentence: 'the clock follows a time server that is configured, and shows the configured time zone',
    needs: ['running', 'neighbour'],
    quick: true,
    run: configured,
  },
  {
    name: 'network/time-by-dhcp',
    sentence: 'the clock follows a time server that DHCP names when none is configured',
    needs: ['running', 'neighbour'],
    run: offered,
  },
];
