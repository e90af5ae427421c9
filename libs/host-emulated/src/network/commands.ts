/** Changing the machine's network cards and cables from outside. */
import type { Area } from '../area.ts';
import type { Command } from '../command.ts';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import type { PciDevice } from '../system/hardware.ts';
import { writePciDevice } from '../system/pci.ts';
import { discoverLinks } from './kernel.ts';
import { reloadNetworkd } from './networkd.ts';
import { defaultNic, type NetworkSection, type Nic } from './section.ts';
import { showLinks } from './sysfs.ts';
import { triggerNetworkDevices } from './udev.ts';

const nameArgument = { name: '<name>', summary: 'the name of the NIC, such as enp6s0' };

export const networkCommands: readonly Command[] = [
  {
    name: 'nic add',
    summary: 'plugs a NIC in, with a cable to the LAN',
    args: [nameArgument],
    run: async (machine, [name = '']) => {
      if (!/^[a-z][a-z0-9]{0,14}$/u.test(name))
        throw new Error(`'${name}' is no name of a NIC: up to 15 lower-case letters and digits`);
      const nic = await machine.change(({ network: section, system }) => {
        if (section.nics.some((one) => one.name === name))
          throw new Error(`the machine has a NIC ${name} already`);
        const number = 1 + Math.max(0, ...section.nics.map(({ mac }) => Number.parseInt(mac.slice(-2), 16)));
        const added = { ...defaultNic(name, number), link_since: new Date().toISOString() };
        section.nics.push(added);
        if (!system.pci.some(({ address }) => address === added.bus_address))
          system.pci.push(pciDevice(added));
        return added;
      });
      if (machine.read().system.power.state !== 'off') await writePciDevice(machine.files, pciDevice(nic));
      await change(machine, () => undefined);
      await takeUp(machine, nic);
      return `added NIC ${name} with MAC ${nic.mac}`;
    },
  },
  {
    name: 'nic remove',
    summary: 'pulls a NIC out',
    args: [nameArgument],
    run: async (machine, [name = '']) => {
      await change(machine, (section) => {
        const rest = section.nics.filter((nic) => nic.name !== name);
        if (rest.length === section.nics.length) throw new Error(missing(section, name));
        section.nics = rest;
      });
      return `removed NIC ${name}`;
    },
  },
  {
    name: 'nic link',
    summary: "plugs a NIC's cable in or pulls it out",
    args: [nameArgument, { name: '<state>', summary: 'up or down' }],
    run: async (machine, [name = '', state = '']) => {
      if (state !== 'up' && state !== 'down') throw new Error(`a link is up or down, not '${state}'`);
      await change(machine, (section) => {
        const nic = section.nics.find((one) => one.name === name);
        if (nic === undefined) throw new Error(missing(section, name));
        if (nic.link !== state) nic.link_since = new Date().toISOString();
        nic.link = state;
      });
      return `the link of ${name} is ${state}`;
    },
  },
];

function pciDevice({ bus_address: address }: Nic): PciDevice {
  const virtio = { vendor_id: '1af4', vendor: 'Red Hat, Inc.', driver: 'virtio-pci' };
  return { ...virtio, address, class: '020000', product_id: '1041', product: 'Virtio 1.0 network device' };
}

function missing(section: Readonly<NetworkSection>, name: string): string {
  return `the machine has no NIC ${name}; it has ${section.nics.map((nic) => nic.name).join(', ') || 'none'}`;
}

/** Changes the hardware; a kernel that runs notices at once. */
async function change<R>(machine: EmulatedMachine, edit: (section: NetworkSection) => R): Promise<R> {
  const answer = await machine.change(({ network, system }) => {
    const result = edit(network);
    if (system.power.state !== 'off') discoverLinks(network);
    return result;
  });
  await showLinks(machine);
  return answer;
}

/** What udev and networkd do with a card that is plugged into a running machine. */
async function takeUp(machine: EmulatedMachine, nic: Nic): Promise<void> {
  const { network, system } = machine.read();
  const link = network.links.find((one) => one.nic === nic.mac);
  if (link === undefined) return;
  await triggerNetworkDevices(machine, machine.files, [link.name]);
  if (system.units['systemd-networkd.service']?.active === 'active')
    await reloadNetworkd(machine, machine.files);
}

/** What the kernel finds at power-on. */
export const populate: Area['populate'] = async (machine) => {
  await machine.change(({ network }) => discoverLinks(network));
  const { host_name } = machine.read().network;
  await machine.files.writeAtomic('/proc/sys/kernel/hostname', `${host_name}\n`);
  await showLinks(machine);
};

/** Devices and addresses are in the kernel's memory only. */
export const powerOff: Area['powerOff'] = async (machine) => {
  await machine.change(({ network }) => {
    network.links = [];
    network.next_index = 1;
    network.nftables = [];
    delete network.time_server;
  });
  await machine.files.remove('/sys/class/net');
};
