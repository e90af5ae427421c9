/** VLANs, as the switch at the other end of the cable sees them. */
import assert from 'node:assert/strict';
import type { Lab, Scenario } from '../../harness/scenario.ts';
import { configure, seen } from './configuration.ts';

const ids = [20, 30] as const;
const subnetOf = (id: number): string => `198.18.${id}`;

async function tagged(lab: Lab): Promise<void> {
  const {
    machine,
    neighbour,
    cables: [cable],
  } = await lab.pair();
  const { port } = cable;
  await neighbour.run(
    [`ip address add 192.0.2.1/24 dev ${port}`]
      .concat(ids.map((id) => `ip link add link ${port} name v${id} type vlan id ${id}`))
      .concat(ids.map((id) => `ip address add ${subnetOf(id)}.1/24 dev v${id}; ip link set v${id} up`))
      .join('\n'),
  );
  const rest = await machine.rest();
  await configure(rest, {
    interfaces: [{ name: 'lan', hwaddr: cable.mac, addresses: ['192.0.2.10/24'], vlan_tags: [40] }],
    vlans: ids.map((id) => ({
      ...{ name: `vlan${id}`, parent: 'lan', id },
      addresses: [`${subnetOf(id)}.10/24`],
    })),
  });
  for (const id of ids)
    await seen(rest, `vlan${id}`, 'its address', ({ addresses = [] }) =>
      addresses.includes(`${subnetOf(id)}.10`),
    );
  await seen(rest, 'lan', 'its address', ({ addresses = [] }) => addresses.includes('192.0.2.10'));

  await neighbour.run(
    `setsid tcpdump -U -i ${port} -w /tmp/vlan.pcap 'icmp or (vlan and icmp)' >/tmp/tcpdump.log 2>&1 &
    for second in $(seq 60); do grep -q listening /tmp/tcpdump.log && break; sleep 1; done`,
  );
  for (const to of ['192.0.2.10', ...ids.map((id) => `${subnetOf(id)}.10`)])
    await neighbour.run(`ping -c 3 -W 5 ${to}`);
  // The machine's answers, whose tags are those that it puts on.
  const seenByShark = await neighbour.run(
    `sleep 1; kill $(pidof tcpdump); sleep 1
    tshark -r /tmp/vlan.pcap -Y 'icmp.type == 0' -T fields -E separator=' ' -E occurrence=a \
      -e eth.src -e vlan.id -e ip.src -e ip.dst 2>/dev/null | sort | uniq -c`,
  );
  lab.note('what tshark saw of the answers: count, sender, VLAN, from, to', seenByShark);
  const tagsOf = (address: string): string[] => [
    ...new Set(
      [...seenByShark.matchAll(/^ *\d+ \S+ (\d*) ?(\S+) (\S+)$/gmu)].flatMap(([, tag = '', from]) =>
        from === address ? [tag] : [],
      ),
    ),
  ];
  assert.deepEqual(tagsOf('192.0.2.10'), [''], 'the parent has no tag');
  for (const id of ids) assert.deepEqual(tagsOf(`${subnetOf(id)}.10`), [String(id)]);
  // Each VLAN goes by its parent's MAC.
  for (const id of ids)
    assert.match(
      await neighbour.run(`ip neigh show to ${subnetOf(id)}.10 dev v${id}`),
      new RegExp(cable.mac, 'u'),
    );
  const bridge = await machine.inGuest('bridge -compressvlans vlan show');
  lab.note('the VLANs of the bridge ports', bridge);
}

export const vlanScenarios: readonly Scenario[] = [
  {
    name: 'network/vlan',
    sentence: 'two VLANs on one interface leave the machine with their tags, and their parent without one',
    needs: ['running', 'neighbour'],
    quick: true,
    run: tagged,
  },
];
