/** The packet filter, tried with packets from the other end of the cable. */
import assert from 'node:assert/strict';
import type { Rest } from '../../../appliance/rest.ts';
import type { Lab, Pair, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { configure, type DeviceConfig } from './configuration.ts';

const address = '192.0.2.10';
const subnet = { addresses: [`${address}/24`], required_for_online: 'no' };
/** Where the machine listens, by what the rules of {@link guarded} make of it. */
const [accepted, refused, dropped] = [7001, 7002, 7003];

type Rules = readonly Readonly<Record<string, unknown>>[];

function lan(pair: Pair, rules: Rules, more: Readonly<Record<string, unknown>> = {}): DeviceConfig {
  return { name: 'lan', hwaddr: pair.cables[0].mac, ...subnet, firewall_rules: rules, ...more };
}

const guarded: Rules = [
  { action: 'accept', protocol: 'tcp', port: accepted, source: '192.0.2.0/24' },
  { action: 'reject', protocol: 'tcp', port: refused },
  { action: 'drop' },
];

/** Has the machine answer on every port that is tried, by TCP with what it was sent and by UDP with a count. */
const listeners = `cat >/run/listeners.mjs <<'END'
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
let datagrams = 0;
let connections = 0;
const tell = () => writeFileSync('/run/heard', datagrams + ' ' + connections + '\\n');
for (const port of [${accepted}, ${refused}, ${dropped}])
  createServer((socket) => {
    if (port === ${dropped}) connections += 1;
    tell();
    socket.on('error', () => undefined);
    socket.pipe(socket);
  }).listen(port);
createSocket('udp4', () => { datagrams += 1; if (datagrams % 50 === 1) tell(); }).bind(${dropped}, tell);
END
setsid node /run/listeners.mjs >/run/listeners.log 2>&1 &
for second in $(seq 60); do test -e /run/heard && exit 0; sleep 1; done; cat /run/listeners.log; exit 1`;

async function heard(pair: Pair): Promise<{ datagrams: number; connections: number }> {
  const [datagrams = 0, connections = 0] = (await pair.machine.inGuest('cat /run/heard'))
    .split(' ')
    .map(Number);
  return { datagrams, connections };
}

/** What becomes of an attempt to connect from the other end of the cable. */
async function attempt(pair: Pair, to: string, port: number): Promise<'connected' | 'refused' | 'no answer'> {
  const { code, output } = await pair.neighbour.ask(
    `timeout 6 bash -c 'exec 3<>/dev/tcp/${to}/${port}' 2>&1; code=$?; echo; echo "code $code"; exit 0`,
  );
  assert.equal(code, 0, output);
  if (output.includes('code 0')) return 'connected';
  if (output.includes('code 124')) return 'no answer';
  assert.match(output, /refused/u);
  return 'refused';
}

async function acceptAndDrop(lab: Lab): Promise<void> {
  const pair = await lab.pair({ cables: 2 });
  const { machine, neighbour, cables } = pair;
  const [first, second] = cables;
  assert.ok(second !== undefined);
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${first.port}
    ip address add 198.51.100.1/24 dev ${second.port}`,
  );
  await machine.inGuest(listeners);
  const rest = await machine.rest();
  const open = {
    name: 'dmz',
    hwaddr: second.mac,
    addresses: ['198.51.100.10/24'],
    required_for_online: 'no',
  };
  await configure(rest, { interfaces: [lan(pair, []), open] });
  for (const port of [accepted, refused, dropped])
    assert.equal(await attempt(pair, address, port), 'connected', `port ${port} without rules`);

  await configure(rest, { interfaces: [lan(pair, guarded), open] });
  lab.note('the rules in the kernel', await machine.inGuest('nft list ruleset'));
  assert.equal(await attempt(pair, address, accepted), 'connected');
  assert.equal(await attempt(pair, address, refused), 'refused');
  assert.equal(await attempt(pair, address, dropped), 'no answer');
  // What a network needs works whatever the rules say, and other devices have none.
  await neighbour.run(`ping -c 2 -W 5 ${address}`);
  assert.equal(await attempt(pair, '198.51.100.10', dropped), 'connected');

  // From another address than the one that may.
  await neighbour.run(`ip address add 203.0.113.1/32 dev lo`);
  await machine.inGuest('ip route add 203.0.113.1/32 via 192.0.2.1');
  const { code } = await neighbour.ask(
    `ncat -s 203.0.113.1 -w 6 --send-only ${address} ${accepted} </dev/null`,
  );
  assert.notEqual(code, 0, 'an address that no rule accepts came in');
  lab.note('the tables of the kernel, as JSON', await machine.inGuest('nft -j list table inet incus-osd'));
}

async function replaced(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const { machine, neighbour, cables } = pair;
  await neighbour.run(`ip address add 192.0.2.1/24 dev ${cables[0].port}`);
  await machine.inGuest(listeners);
  const rest = await machine.rest();
  const lettingIn: Rules = [{ action: 'accept', protocol: 'tcp', port: dropped }, ...guarded];
  await configure(rest, { interfaces: [lan(pair, lettingIn)] });

  // A connection from the time when it was let in, of which each answer is a line.
  await neighbour.run(
    `cat >/tmp/talk <<'END'
    exec 3<>/dev/tcp/${address}/${dropped} || exit 1
    while ! test -e /tmp/end; do
      echo hello >&3
      if read -r -t 20 answer <&3; then echo "$answer"; else echo lost; exit; fi
      sleep 0.2
    done
END
    setsid bash /tmp/talk >/tmp/talk.log 2>&1 &
    for second in $(seq 30); do grep -q hello /tmp/talk.log && exit 0; sleep 1; done; exit 1`,
  );
  await configure(rest, { interfaces: [lan(pair, guarded)] });
  assert.equal(await attempt(pair, address, dropped), 'no answer', 'a new connection to the port');
  const lines = async (): Promise<number> => Number(await neighbour.run('grep -c hello /tmp/talk.log'));
  const before = await lines();
  await until(
    'answers on the connection that was there before',
    60_000,
    async () => (await lines()) > before + 5 || undefined,
  );

  // Attempts without a pause, by TCP and by UDP, while the rules are replaced again and again.
  const beforeFlood = await heard(pair);
  await neighbour.run(
    `for worker in 1 2 3; do
      setsid bash -c 'until test -e /tmp/end; do echo x >/dev/udp/${address}/${dropped}; done' >/dev/null 2>&1 &
      setsid bash -c 'until test -e /tmp/end; do timeout 0.3 bash -c "exec 3<>/dev/tcp/${address}/${dropped}"; done' >/dev/null 2>&1 &
    done
    setsid tcpdump -i ${cables[0].port} -U -w /tmp/answers.pcap 'tcp and src port ${dropped} and tcp[13] = 0x12' >/tmp/tcpdump.log 2>&1 &
    for second in $(seq 60); do grep -q listening /tmp/tcpdump.log && exit 0; sleep 1; done; exit 1`,
  );
  const rounds = 20;
  for (let round = 0; round < rounds; round += 1) {
    const more = { action: 'accept', protocol: 'udp', port: 6000 + round };
    await configure(rest, { interfaces: [lan(pair, [more, ...guarded])] });
  }
  await machine.inGuest('systemctl restart incus-os-network.service', 5 * 60_000);
  const sent = await neighbour.run(
    `touch /tmp/end; sleep 2; kill $(pidof tcpdump); sleep 1
    tcpdump -r /tmp/answers.pcap 2>/dev/null | wc -l; grep -c lost /tmp/talk.log; cat /proc/net/snmp | grep ^Udp:`,
  );
  lab.note('answers to attempts, connections lost, datagrams sent', sent);
  const [answers, lost] = sent.split('\n');
  assert.equal(answers, '0', 'the machine answered an attempt to connect');
  assert.equal(lost, '0', 'the connection from before was lost');
  assert.deepEqual(await heard(pair), beforeFlood, 'something came through while the rules were replaced');
  // The flood would have been heard.
  await configure(rest, { interfaces: [lan(pair, [])] });
  await neighbour.run(
    `bash -c 'echo x >/dev/udp/${address}/${dropped}; exec 3<>/dev/tcp/${address}/${dropped}'`,
  );
  await until(
    'a connection',
    30_000,
    async () => (await heard(pair)).connections > beforeFlood.connections || undefined,
  );
}

/** A guest with a MAC of its own, behind the bridge of an interface. */
async function strictAddress(lab: Lab): Promise<void> {
  const pair = await lab.pair();
  const { machine, neighbour, cables } = pair;
  await neighbour.run(`ip address add 192.0.2.1/24 dev ${cables[0].port}`);
  const rest = await machine.rest();
  await configure(rest, { interfaces: [lan(pair, [])] });
  await machine.inGuest(
    `ip netns add guest
    ip link add guest0 type veth peer name inner
    ip link set inner netns guest address 02:00:00:00:00:50
    ip link set guest0 master lan up
    ip netns exec guest ip link set inner up
    ip netns exec guest ip address add 192.0.2.50/24 dev inner`,
  );
  // Its answers are what the filter is about.
  const guestReaches = async (): Promise<boolean> =>
    (await neighbour.ask('ping -c 3 -W 3 192.0.2.50')).code === 0;
  const reached = async (): Promise<true | undefined> => (await guestReaches()) || undefined;
  await until('a guest behind the bridge to reach the neighbour', 60_000, reached);

  await configure(rest, { interfaces: [lan(pair, [], { strict_hwaddr: true })] });
  await neighbour.run(
    `ip neigh flush dev ${cables[0].port}
    setsid tcpdump -i ${cables[0].port} -U -w /tmp/guest.pcap ether src 02:00:00:00:00:50 >/tmp/tcpdump.log 2>&1 &
    for second in $(seq 60); do grep -q listening /tmp/tcpdump.log && exit 0; sleep 1; done; exit 1`,
  );
  assert.equal(await guestReaches(), false, 'a guest sent by its own address');
  await neighbour.run(`ping -c 2 -W 5 ${address}`);
  assert.equal(
    (
      await neighbour.run('kill $(pidof tcpdump); sleep 1; tcpdump -r /tmp/guest.pcap 2>/dev/null | wc -l')
    ).trim(),
    '0',
    'frames of the guest left the machine',
  );
  lab.note('the filter', await machine.inGuest('nft list table bridge incus-osd'));

  await configure(rest, { interfaces: [lan(pair, [], { strict_hwaddr: false })] });
  await until('the guest to reach the neighbour again', 60_000, reached);
}

async function noRouter(lab: Lab): Promise<void> {
  const { machine, neighbour, cables } = await lab.pair({ cables: 2 });
  const [first, second] = cables;
  assert.ok(second !== undefined);
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${first.port}
    ip route add 198.51.100.0/24 via ${address}
    ip netns add far
    ip link set ${second.port} netns far
    ip -n far link set ${second.port} up
    ip -n far address add 198.51.100.1/24 dev ${second.port}
    ip -n far route add default via 198.51.100.10`,
  );
  const rest: Rest = await machine.rest();
  const put = (): Promise<void> =>
    configure(rest, {
      interfaces: [
        { name: 'lan', hwaddr: first.mac, ...subnet },
        { name: 'dmz', hwaddr: second.mac, addresses: ['198.51.100.10/24'], required_for_online: 'no' },
      ],
    });
  await put();
  // As applications with networks of their own do.
  await machine.inGuest('echo 1 >/proc/sys/net/ipv4/ip_forward');
  await neighbour.run(`ping -c 2 -W 9 ${address} && ip netns exec far ping -c 2 -W 9 198.51.100.10`);
  const crosses = async (): Promise<boolean> =>
    (await neighbour.ask('ping -c 3 -W 3 198.51.100.1')).code === 0;
  assert.equal(await crosses(), false, 'the machine routed between its networks');
  await machine.inGuest('nft flush chain inet incus-osd forward');
  assert.equal(await crosses(), true, 'without the rule the machine is a router');
  await put();
  assert.equal(await crosses(), false, 'the rule came back with the configuration');
}

export const firewallScenarios: readonly Scenario[] = [
  {
    name: 'network/firewall',
    sentence: 'what a rule accepts comes in, what it rejects is refused and what it drops gets no answer',
    needs: ['running', 'neighbour'],
    quick: true,
    run: acceptAndDrop,
  },
  {
    name: 'network/firewall-replaced',
    sentence:
      'a change of the rules keeps connections that are there, and lets nothing in while rules are replaced twenty times',
    needs: ['running', 'neighbour'],
    run: replaced,
  },
  {
    name: 'network/strict-hwaddr',
    sentence: 'a strict interface lets no frame out with an address that is not its own',
    needs: ['running', 'neighbour'],
    run: strictAddress,
  },
  {
    name: 'network/no-router',
    sentence: 'the machine never routes between its own networks, also where it forwards for applications',
    needs: ['running', 'neighbour'],
    run: noRouter,
  },
];
