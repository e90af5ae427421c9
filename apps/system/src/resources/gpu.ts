/** Graphics cards: PCI devices of class 03 with the nodes of their driver (drm(7)). */
import { ResourcesGPU, ResourcesGPUCard, ResourcesGPUCardDRM } from '@incusos/contracts/system';
import { type KernelView, pciAddressIn } from './kernel-view.ts';
import { cardFields, type PciDevice } from './pci.ts';

const drm = '/sys/class/drm';

export async function readGpu(kernel: KernelView, devices: readonly PciDevice[]): Promise<ResourcesGPU> {
  const nodes = await drmNodes(kernel);
  const cards = devices.filter(({ kind, isVirtualFunction }) => kind.startsWith('03') && !isVirtualFunction);
  return ResourcesGPU.create({
    cards: cards.map((device) =>
      ResourcesGPUCard.create({
        ...cardFields(device),
        ...sriovOf(device),
        ...(nodes.has(device.address) ? { drm: nodes.get(device.address) } : {}),
      }),
    ),
    total: cards.length,
  });
}

function sriovOf({ sriov }: PciDevice): { sriov?: { current_vfs: number; maximum_vfs: number } } {
  return sriov === undefined ? {} : { sriov: { current_vfs: sriov.current, maximum_vfs: sriov.maximum } };
}

async function drmNodes(kernel: KernelView): Promise<ReadonlyMap<string, ResourcesGPUCardDRM>> {
  const nodes = new Map<string, ResourcesGPUCardDRM>();
  for (const name of await kernel.list(drm)) {
    const [, kind, number] = /^(card|renderD)(\d+)$/u.exec(name) ?? [];
    if (kind === undefined) continue;
    const address = pciAddressIn(await kernel.realPath(`${drm}/${name}`));
    if (address === undefined) continue;
    const device = (await kernel.text(`${drm}/${name}/dev`)) ?? '';
    const known = nodes.get(address) ?? ResourcesGPUCardDRM.create();
    if (kind === 'card') Object.assign(known, { id: Number(number), card_name: name, card_device: device });
    else Object.assign(known, { render_name: name, render_device: device });
    nodes.set(address, known);
  }
  return nodes;
}
