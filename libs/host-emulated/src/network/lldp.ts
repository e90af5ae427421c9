/** What the cards hear from the switch by LLDP, as networkd tells it. */
import { macBytes } from './addressing.ts';
import { nicOf, wayOut } from './kernel.ts';
import type { Link, NetworkSection } from './section.ts';

/** The answer to `io.systemd.Network.GetLLDPNeighbors`, which `networkctl lldp --json=short` prints. */
export function neighboursOf(section: Readonly<NetworkSection>): { readonly Neighbors: readonly unknown[] } {
  return { Neighbors: section.links.flatMap((link) => heardBy(section, link)) };
}

/** What a port hears from the switch: a NIC with a cable whose .network file says `LLDP=yes`. */
export function heardBy(section: Readonly<NetworkSection>, link: Link): unknown[] {
  const nic = nicOf(section, link);
  if (nic === undefined || link.network?.lldp !== true || wayOut(section, link) === undefined) return [];
  const { chassis_id, name, description } = section.lan.neighbour;
  const port = `port${section.nics.indexOf(nic) + 1}`;
  return [
    {
      InterfaceIndex: link.index,
      InterfaceName: link.name,
      Neighbors: [
        {
          ChassisID: chassis_id,
          RawChassisID: [4, ...macBytes(chassis_id)],
          PortID: port,
          RawPortID: [5, ...Buffer.from(port)],
          PortDescription: `Port ${section.nics.indexOf(nic) + 1}`,
          SystemName: name,
          SystemDescription: description,
          EnabledCapabilities: 4,
        },
      ],
    },
  ];
}
