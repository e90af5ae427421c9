/** Network cards and their ports (Documentation/ABI/testing/sysfs-class-net). Link speeds in Mbit/s. */
import { ResourcesNetwork, ResourcesNetworkCard, ResourcesNetworkCardPort } from '@incusos/contracts/system';
import { type KernelView, pciAddressIn } from './kernel-view.ts';
import { cardFields, type PciDevice } from './pci.ts';

const classNet = '/sys/class/net';

interface Port {
  readonly card: string;
  readonly port: ResourcesNetworkCardPort;
}

export async function readNetworkCards(
  kernel: KernelView,
  devices: readonly PciDevice[],
): Promise<ResourcesNetwork> {
  const names = await kernel.list(classNet);
  const ports = (await Promise.all(names.map((name) => readPort(kernel, name)))).filter(
    (port) => port !== undefined,
  );
  const owned = Map.groupBy(ports, ({ card }) => card);
  const cards = devices
    .filter(
      ({ address, kind, isVirtualFunction }) =>
        (kind.startsWith('02') || owned.has(address)) && !isVirtualFunction,
    )
    .map((device) =>
      ResourcesNetworkCard.create({
        ...cardFields(device),
        ports: (owned.get(device.address) ?? []).map(({ port }) => port),
        ...(device.sriov === undefined
          ? {}
          : { sriov: { current_vfs: device.sriov.current, maximum_vfs: device.sriov.maximum } }),
      }),
    );
  return ResourcesNetwork.create({ cards, total: cards.length });
}

/** A port of a PCI card; `undefined` for interfaces that are no hardware. */
async function readPort(kernel: KernelView, id: string): Promise<Port | undefined> {
  const directory = `${classNet}/${id}`;
  const uevent = await kernel.variables(`${directory}/device/uevent`);
  const card = uevent.get('PCI_SLOT_NAME') ?? pciAddressIn(await kernel.realPath(`${directory}/device`));
  if (card === undefined) return undefined;
  const [address, type, number, carrier, speed, duplex] = await Promise.all([
    kernel.text(`${directory}/address`),
    kernel.number(`${directory}/type`),
    kernel.number(`${directory}/dev_port`),
    kernel.text(`${directory}/carrier`),
    kernel.number(`${directory}/speed`),
    kernel.text(`${directory}/duplex`),
  ]);
  const detected = carrier === '1';
  const port = ResourcesNetworkCardPort.create({
    id,
    ...(address === undefined ? {} : { address }),
    port: number,
    // ARPHRD_INFINIBAND of if_arp.h.
    protocol: type === 32 ? 'infiniband' : 'ethernet',
    auto_negotiation: detected && speed > 0,
    link_detected: detected,
    ...(detected && speed > 0 ? { link_speed: speed } : {}),
    ...(detected && (duplex === 'full' || duplex === 'half') ? { link_duplex: duplex } : {}),
  });
  return { card, port };
}
