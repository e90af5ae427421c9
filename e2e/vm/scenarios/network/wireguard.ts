/** WireGuard with a peer at the other end of the cable. */
import assert from 'node:assert/strict';
import type { Rest } from '../../../appliance/rest.ts';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { configure, type DeviceState, networkOf, seen } from './configuration.ts';

interface PeerState {
  readonly public_key: string;
  readonly endpoint: string;
  readonly latest_handshake?: string;
  readonly persistent_keepalive?: string;
  readonly stats: { readonly rx_bytes: number; readonly tx_bytes: number };
}

interface Tunnel {
  readonly public_key: string;
  readonly listening_port?: number;
  readonly peers?: readonly PeerState[];
}

const port = 51_820;
const file = '/run/systemd/network/13-site.netdev';

function tunnelOf(state: DeviceState): Tunnel {
  const { wireguard } = state;
  assert.ok(typeof wireguard === 'object' && wireguard !== null && 'public_key' in wireguard);
  return wireguard as Tunnel;
}

async function privateKey(rest: Rest): Promise<string> {
  const [tunnel] = (await networkOf(rest)).config.wireguard ?? [];
  const key = tunnel?.['private_key'];
  assert.ok(typeof key === 'string' && key !== '', 'the configuration has no private key');
  return key;
}

async function handshake(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  const theirs = (
    await neighbour.run(
      `ip address add 192.0.2.1/24 dev ${cable.port}
      umask 077; wg genkey >/tmp/key
      ip link add site type wireguard
      wg set site private-key /tmp/key listen-port ${port}
      ip address add 10.77.0.1/24 dev site
      ip link set site up
      wg show site public-key`,
    )
  ).trim();
  const rest = await machine.rest();
  const peer = {
    public_key: theirs,
    endpoint: `192.0.2.1:${port}`,
    allowed_ips: ['10.77.0.1/32'],
    persistent_keepalive: 2,
  };
  const tunnel = (more: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
    ...{ name: 'site', port: port + 1, mtu: 1420, addresses: ['10.77.0.10/24'] },
    ...{ peers: [peer], ...more },
  });
  const put = async (more?: Readonly<Record<string, unknown>>): Promise<void> =>
    configure(rest, {
      interfaces: [
        { name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'], required_for_online: 'no' },
      ],
      wireguard: [{ name: 'site', ...tunnel(more) }],
    });
  await put();
  const key = await privateKey(rest);
  const state = await seen(rest, 'site', 'its address', ({ addresses = [] }) =>
    addresses.includes('10.77.0.10'),
  );
  assert.equal(state.type, 'wireguard');
  const ours = tunnelOf(state).public_key;
  // In a file of the neighbour's memory: it is a key of this scenario only.
  const derived = await neighbour.run(`echo '${key}' | wg pubkey`);
  assert.equal(derived.trim(), ours, 'the public key is not that of the private one');

  await neighbour.run(`wg set site peer ${ours} allowed-ips 10.77.0.10/32`);
  // The machine begins, since only it knows where the other one is.
  await neighbour.run(
    'for n in $(seq 30); do ping -c 1 -W 3 10.77.0.10 && break; done; ping -c 3 -W 5 10.77.0.10',
  );
  const met = await seen(rest, 'site', 'a handshake', (one) => {
    const [first] = tunnelOf(one).peers ?? [];
    return first?.latest_handshake !== undefined && first.stats.rx_bytes > 0 && first.stats.tx_bytes > 0;
  });
  lab.note('the state of the tunnel', JSON.stringify(met, undefined, 2));
  lab.note('the tunnel, as the neighbour sees it', await neighbour.run('wg show site'));
  const { peers, listening_port: listening } = tunnelOf(met);
  assert.equal(listening, port + 1);
  assert.equal(peers?.[0]?.public_key, theirs);
  assert.equal(peers[0].endpoint, `192.0.2.1:${port}`);
  assert.equal(peers[0].persistent_keepalive, 'every 2 seconds');

  // The key is where it belongs, and nowhere else.
  assert.equal((await machine.inGuest(`stat -c '%a %U:%G' ${file}`)).trim(), '640 root:systemd-network');
  const traces = await machine.inGuest(
    `journalctl --no-pager | grep -cF '${key}'
    grep -rlF '${key}' /run --exclude-dir=credentials 2>/dev/null | grep -v -x ${file}
    for process in /proc/[0-9]*; do tr '\\0' ' ' <$process/cmdline 2>/dev/null | grep -F '${key}' | grep -v grep; done; exit 0`,
  );
  lab.note('traces of the key in the journal (count), in files and in arguments', traces);
  assert.equal(traces.split('\n')[0], '0', 'the journal has the private key');

  await changePeers(lab, { rest, put, theirs, key, machine, neighbour, peer });
}

interface Running extends Pick<Awaited<ReturnType<Lab['pair']>>, 'machine' | 'neighbour'> {
  readonly rest: Rest;
  readonly put: (more?: Readonly<Record<string, unknown>>) => Promise<void>;
  readonly theirs: string;
  readonly key: string;
  readonly peer: Readonly<Record<string, unknown>>;
}

/** The device stays while peers come, change and go. */
async function changePeers(
  lab: Lab,
  { rest, put, theirs, key, machine, neighbour, peer }: Running,
): Promise<void> {
  const index = (): Promise<string> => machine.inGuest('cat /sys/class/net/site/ifindex');
  const before = await index();
  const another = (await neighbour.run('wg genkey | wg pubkey')).trim();
  const shared = (await neighbour.run('umask 077; wg genpsk | tee /tmp/shared')).trim();
  await machine.inGuest('setsid ip monitor link address route >/run/monitor.log 2>&1 & sleep 1');
  await put({
    peers: [
      { ...peer, preshared_key: shared },
      { public_key: another, allowed_ips: ['10.77.1.0/24'] },
    ],
  });
  assert.equal(await index(), before, 'the device was made anew');
  assert.equal(await privateKey(rest), key, 'the key changed although none was sent');
  const ours = tunnelOf(
    await seen(rest, 'site', 'two peers', (one) => tunnelOf(one).peers?.length === 2),
  ).public_key;
  await neighbour.run(`wg set site peer ${ours} preshared-key /tmp/shared`);
  await neighbour.run('for n in $(seq 30); do ping -c 1 -W 3 10.77.0.10 && exit 0; done; exit 1');

  await put({ peers: [{ ...peer, preshared_key: shared }] });
  await seen(rest, 'site', 'one peer', (one) => tunnelOf(one).peers?.length === 1);
  assert.equal(await index(), before);
  lab.note('the peers in the kernel', await machine.inGuest('wg show site | grep -v private'));
  lab.note(
    'what the kernel announced while peers changed',
    await machine.inGuest('kill $(pidof ip); cat /run/monitor.log'),
  );
  await neighbour.run('ping -c 2 -W 9 10.77.0.10');
  const { config } = await networkOf(rest);
  await rest.succeed('PUT', '/os/1.0/system/network', { json: { config: { ...config, wireguard: [] } } });
  assert.notEqual(
    (await machine.guest(`ip link show site || test -e ${file}`)).code,
    0,
    'the tunnel is still there',
  );
  assert.equal(theirs, peer['public_key']);
}

export const wireguardScenarios: readonly Scenario[] = [
  {
    name: 'network/wireguard',
    sentence:
      'a tunnel with a key of its own meets its peer, carries packets, and stays while peers come and go',
    needs: ['running', 'neighbour'],
    run: handshake,
  },
];
