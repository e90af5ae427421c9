/** The machine as a chassis of a real OVN deployment, whose databases and northd run at the other end of the cable. */
import assert from 'node:assert/strict';
import type { Rest } from '../../../appliance/rest.ts';
import type { Lab, Pair, Scenario } from '../../harness/scenario.ts';
import { until } from '../../harness/wait.ts';
import { configure, seen } from './configuration.ts';

const path = '/os/1.0/services/ovn';
/** The daemons take a while to start without KVM. */
const patienceMs = 4 * 60_000;

interface Surroundings extends Pair {
  readonly rest: Rest;
}

/** A cable with the role of the cluster, and OVN's central daemons behind it. */
async function central(lab: Lab): Promise<Surroundings> {
  const pair = await lab.pair();
  const {
    machine,
    neighbour,
    cables: [cable],
  } = pair;
  const rest = await machine.rest();
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${cable.port}
    mkdir -p /var/lib/ovn /var/log/ovn /run/ovn
    /usr/share/ovn/scripts/ovn-ctl start_northd >/tmp/ovn.log 2>&1 </dev/null || { cat /tmp/ovn.log; exit 1; }
    cd /tmp
    openssl req -x509 -newkey rsa:2048 -noenc -sha256 -days 30 -subj /CN=authority -keyout ca.key -out ca.crt 2>/dev/null
    for name in sb chassis; do
      openssl req -newkey rsa:2048 -noenc -subj /CN=$name -keyout $name.key -out $name.csr 2>/dev/null
      openssl x509 -req -in $name.csr -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out $name.crt 2>/dev/null
    done
    ovn-sbctl set-ssl /tmp/sb.key /tmp/sb.crt /tmp/ca.crt
    ovn-sbctl set-connection ptcp:6642 pssl:6643`,
    patienceMs,
  );
  await configure(rest, {
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'], roles: ['cluster'] }],
  });
  await seen(rest, 'lan', 'its address', ({ addresses = [] }) => addresses.includes('192.0.2.10'));
  return { ...pair, rest };
}

function set(rest: Rest, config: object): Promise<unknown> {
  return rest.succeed('PUT', path, { json: { config } });
}

/** Waits until the southbound database shows the chassis so. @returns what it shows. */
function shown({ neighbour }: Surroundings, what: string, is: (text: string) => boolean): Promise<string> {
  return until(
    `a southbound database with ${what}`,
    patienceMs,
    async () => {
      const text = await neighbour.run('ovn-sbctl --timeout=20 show');
      if (is(text)) return text;
      throw new Error(text === '' ? 'it has no chassis' : text);
    },
    { everyMs: 2_000 },
  );
}

async function chassis(lab: Lab): Promise<void> {
  const all = await central(lab);
  const { machine, neighbour, rest } = all;
  const database = 'tcp:192.0.2.1:6642';
  await set(rest, { enabled: true, database });
  const first = await shown(all, 'the chassis', (text) => text.includes('ip: "192.0.2.10"'));
  lab.note('the chassis in the southbound database', first);
  assert.match(first, /Encap geneve/u);
  const name = (await machine.inGuest('hostname')).trim();
  assert.match(first, new RegExp(`hostname: "?${name}"?`, 'u'));

  // Frames of a logical switch get from one port on this machine to another.
  await neighbour.run(
    `ovn-nbctl ls-add net1
    for n in 1 2; do ovn-nbctl lsp-add net1 guest$n -- lsp-set-addresses guest$n "02:00:00:00:00:0$n 10.7.0.$n"; done`,
  );
  await machine.inGuest(
    `for n in 1 2; do
      ovs-vsctl add-port br-int guest$n -- set interface guest$n type=internal external_ids:iface-id=guest$n
      ip netns add g$n && ip link set guest$n netns g$n
      ip -n g$n link set guest$n address 02:00:00:00:00:0$n up
      ip -n g$n address add 10.7.0.$n/24 dev guest$n
    done`,
    patienceMs,
  );
  await neighbour.run('ovn-nbctl --timeout=100 wait-until logical_switch_port guest2 up=true', patienceMs);
  await machine.inGuest(
    `setsid ip netns exec g2 node -e 'require("node:net").createServer((one) => one.end("over the switch")).listen(7)' >/dev/null 2>&1 </dev/null &`,
  );
  const talk = `require("node:net").connect(7, "10.7.0.2").on("data", (text) => console.log(String(text)))`;
  const said = await until('a connection from one port to the other', patienceMs, () =>
    machine.inGuest(`ip netns exec g1 node -e '${talk}'`),
  );
  assert.equal(said.trim(), 'over the switch');

  // Another address of the cluster is the tunnels' new one, by itself.
  const interfaces = [
    { name: 'lan', hwaddr: all.cables[0].mac, addresses: ['192.0.2.11/24'], roles: ['cluster'] },
  ];
  await configure(rest, { interfaces });
  await shown(all, 'the new address', (text) => text.includes('ip: "192.0.2.11"'));

  // The service's own restart leaves the daemons alone.
  const pids = () =>
    machine.inGuest('systemctl show -p MainPID ovn-controller ovs-vswitchd ovsdb-server', patienceMs);
  const before = await pids();
  await machine.inGuest('systemctl restart incus-os-network', patienceMs);
  await machine.ready();
  assert.equal((await rest.get<{ config: { enabled: boolean } }>(path)).config.enabled, true);
  assert.equal(await pids(), before);

  // Nothing listens at the other database: that is no error, and another change is still taken.
  await set(rest, { enabled: true, database: 'tcp:192.0.2.1:6699', tunnel_address: '192.0.2.11' });
  await set(rest, { enabled: true, database, tunnel_address: '192.0.2.11', ic_chassis: true });
  await rest.succeed('POST', `${path}/:reset`);
  await shown(all, 'the chassis after a reset', (text) => text.includes('ip: "192.0.2.11"'));

  await set(rest, { enabled: false });
  assert.equal((await neighbour.run('ovn-sbctl show')).trim(), '', 'the chassis did not sign off');
  const left = await machine.guest('pgrep -a "ovn-controller|ovs-vswitchd|ovsdb-server"; ls /run/ovn');
  assert.doesNotMatch(left.output, /ov[ns]/u);
}

async function withCertificates(lab: Lab): Promise<void> {
  const all = await central(lab);
  const { machine, neighbour, rest } = all;
  // A machine that was restored has the time at which it was kept, before the certificates were valid.
  await machine.inGuest(`date --set=@${Math.floor(Date.now() / 1_000)}`);
  const file = (name: string): Promise<string> => neighbour.run(`cat /tmp/${name}`);
  const tls = {
    tls_client_certificate: await file('chassis.crt'),
    tls_client_key: await file('chassis.key'),
    tls_ca_certificate: await file('ca.crt'),
  };
  const database = 'ssl:192.0.2.1:6643';
  const refused = await rest.envelope('PUT', path, { json: { config: { enabled: true, database } } });
  assert.equal(refused.http, 400);
  await set(rest, { enabled: true, database, ...tls });
  lab.note('the chassis', await shown(all, 'the chassis', (text) => text.includes('ip: "192.0.2.10"')));
  const status = await machine.inGuest('ovn-appctl -t ovn-controller connection-status');
  assert.equal(status.trim(), 'connected');
  const files = await machine.inGuest(
    'stat -c "%a %n" /run/ovn/client.key /run/ovn/client.crt /run/ovn/ca.crt',
  );
  assert.equal(files, '600 /run/ovn/client.key\n600 /run/ovn/client.crt\n600 /run/ovn/ca.crt\n');
  lab.note('connections at the database', await neighbour.run('ovn-sbctl list connection'));
  const open = await neighbour.run('ss -Htn state established sport = :6643');
  assert.match(open, /192\.0\.2\.10/u);
  await set(rest, { enabled: false });
  assert.equal((await neighbour.run('ovn-sbctl show')).trim(), '');
}

export const ovnScenarios: readonly Scenario[] = [
  {
    name: 'network/ovn',
    sentence:
      'the machine becomes a chassis of a real OVN database, switches frames, follows its address, and signs off',
    needs: ['running', 'neighbour'],
    run: chassis,
  },
  {
    name: 'network/ovn-tls',
    sentence: 'the connection to the OVN database is made with certificates, and not without them',
    needs: ['running', 'neighbour'],
    run: withCertificates,
  },
];
