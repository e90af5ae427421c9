/** The hardware inventory: the Resources object of an Incus server, from what the kernel shows. */
import { Resources } from '@incusos/contracts/system';
import { type Host, HOST } from '@incusos/host';
import { Inject, Injectable } from '@nestjs/common';
import { readCpu } from './cpu.ts';
import { BlockDevices, readDisks } from './disks.ts';
import { readFirmware } from './firmware.ts';
import { readGpu } from './gpu.ts';
import { KernelView } from './kernel-view.ts';
import { readLoad } from './load.ts';
import { readMemory } from './memory.ts';
import { readNetworkCards } from './network-cards.ts';
import { pciResources, readPciDevices } from './pci.ts';
import { readSerial } from './serial.ts';
import { readUsb } from './usb.ts';

const sharedMs = 1_000;

@Injectable()
export class ResourcesService {
  private latest: { readonly at: number; readonly inventory: Promise<Resources> } | undefined;

  private readonly blockDevices: BlockDevices;

  constructor(@Inject(HOST) private readonly host: Host) {
    this.blockDevices = new BlockDevices(host);
  }

  /** Takes hundreds of reads, so callers within a second share one inventory. */
  get(): Promise<Resources> {
    const now = performance.now();
    if (this.latest === undefined || now - this.latest.at > sharedMs) {
      const inventory = this.read();
      this.latest = { at: now, inventory };
      inventory.catch(() => {
        this.latest = undefined;
      });
    }
    return this.latest.inventory;
  }

  private async read(): Promise<Resources> {
    const kernel = new KernelView(this.host.files);
    const pci = readPciDevices(kernel);
    const [cpu, memory, gpu, network, storage, usb, devices, system, load, serial] = await Promise.all([
      readCpu(kernel),
      readMemory(kernel),
      pci.then((list) => readGpu(kernel, list)),
      pci.then((list) => readNetworkCards(kernel, list)),
      readDisks(kernel, this.blockDevices),
      readUsb(kernel),
      pci,
      readFirmware(kernel),
      readLoad(kernel),
      readSerial(kernel),
    ]);
    return Resources.create({
      cpu,
      memory,
      gpu,
      network,
      storage,
      usb,
      pci: pciResources(devices),
      system,
      load,
      serial,
    });
  }
}
