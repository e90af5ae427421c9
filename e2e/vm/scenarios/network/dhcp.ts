/** Addresses from a real DHCP server and a real router's advertisements: dnsmasq. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import type { Neighbour } from '../../neighbour/neighbour.ts';
import { configure, type DeviceState, seen } from './configuration.ts';

const behind = '198.51.100.1';
const leases = '/tmp/dnsmasq.leases';

/** A DHCP server for one address of each family, and a router whose prefix is `prefix`. */
async function serve(neighbour: Neighbour, port: string, mac: string): Promise<void> {
  await neighbour.run(
    `ip address add 192.0.2.1/24 dev ${port}
    ip address add 2001:db8:2::1/64 dev ${port} nodad
    ip address add ${behind}/32 dev lo
    cat >/tmp/dnsmasq.conf <<END
port=0
interface=${port}
dhcp-leasefile=${leases}
dhcp-authoritative
log-dhcp
log-facility=/tmp/dnsmasq.log
enable-ra
dhcp-range=192.0.2.100,192.0.2.150,1h
dhcp-host=${mac},192.0.2.123
dhcp-range=2001:db8:2::1000,2001:db8:2::1fff,slaac,64,1h
END
    dnsmasq --conf-file=/tmp/dnsmasq.conf`,
  );
}

const within = (prefix: string) => (address: string) => address.startsWith(prefix);

function has(...prefixes: string[]): (state: DeviceState) => boolean {
  return ({ addresses = [] }) => prefixes.every((prefix) => addresses.some(within(prefix)));
}

async function leased(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  await serve(neighbour, cable.port, cable.mac);
  const rest = await machine.rest();
  const lan = { name: 'lan', hwaddr: cable.mac };

  await configure(rest, {
    interfaces: [
      {
        ...{ ...lan, addresses: ['dhcp4', 'slaac'], required_for_online: 'both' },
        routes: [{ to: '198.51.100.0/24', via: 'dhcp4' }],
      },
    ],
  });
  const state = await seen(rest, 'lan', 'a lease and an advertised address', has('192.0.2.', '2001:db8:2:'));
  lab.note('the state of lan', JSON.stringify(state, undefined, 2));
  // The server knows the card by the configured MAC: the lease that is set aside for it is taken.
  const { addresses = [] } = state;
  assert.ok(addresses.includes('192.0.2.123'), 'the address is not the one for this MAC');
  assert.ok(
    state.routes?.some(({ to, via }) => to === '198.51.100.0/24' && via === '192.0.2.1'),
    "the route by the lease's router is not in the state",
  );
  assert.ok(!addresses.some(within('2001:db8:2::1')), 'an address by DHCPv6 nobody asked for');
  const advertised = addresses.find(within('2001:db8:2:')) ?? '';
  lab.note(
    'the neighbour pings what it gave',
    await neighbour.run(
      `ping -c 2 -W 5 -I ${behind} 192.0.2.123 && ping -c 2 -W 5 ${advertised} && cat ${leases}`,
    ),
  );

  await configure(rest, {
    interfaces: [{ ...lan, addresses: ['dhcp4', 'dhcp6'], required_for_online: 'both' }],
  });
  const stateful = await seen(rest, 'lan', 'an address by DHCPv6', has('192.0.2.123', '2001:db8:2::1'));
  lab.note('the state of lan with DHCPv6', JSON.stringify(stateful, undefined, 2));
  const given = stateful.addresses?.find(within('2001:db8:2::1')) ?? '';
  lab.note(
    'the neighbour pings what it gave by DHCPv6',
    await neighbour.run(`ping -c 2 -W 5 ${given} && cat ${leases}`),
  );
  assert.match(await neighbour.run(`cat ${leases}`), new RegExp(` ${given} `, 'u'));
  lab.note("the neighbour's DHCP server", await neighbour.run('cat /tmp/dnsmasq.log'));
}

export const dhcpScenarios: readonly Scenario[] = [
  {
    name: 'network/dhcp',
    sentence: 'addresses come from a DHCP server, by router advertisement and by DHCPv6, and so does a route',
    needs: ['running', 'neighbour'],
    quick: true,
    run: leased,
  },
];
