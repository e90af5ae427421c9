/** udev's handling of network devices: names, MACs and MTUs by the first .link file that matches (systemd.link(5)). */
import type { Files } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';
import { findLink, maxMtu, randomMac } from './kernel.ts';
import type { ToolCall, ToolResult } from '../tools/tool.ts';
import { showLinks } from './sysfs.ts';
import { matches, readUnitFiles, valueOf } from './unit-file.ts';

/**
 * What `udevadm trigger --action=add` does to network devices.
 * @param names only these, as the kernel calls them; all unless given.
 */
export async function triggerNetworkDevices(
  machine: EmulatedMachine,
  files: Files,
  names?: readonly string[],
): Promise<void> {
  const linkFiles = await readUnitFiles(files, '.link');
  await machine.change(({ network: section }) => {
    for (const link of section.links) {
      if (link.kind !== 'ether' || (names !== undefined && !names.includes(link.name))) continue;
      const file = linkFiles.find((one) =>
        matches(one, { name: link.name, permanentMac: link.nic, mac: link.mac }),
      );
      if (file === undefined) continue;
      link.link_file = file.path;
      // A MAC that someone set already is left alone, as udev does.
      if (valueOf(file, 'Link', 'MACAddressPolicy') === 'random' && link.mac_assigned === 0) {
        link.mac = randomMac();
        link.mac_assigned = 3;
      }
      const mtu = Number(valueOf(file, 'Link', 'MTUBytes') ?? link.mtu);
      if (mtu <= maxMtu(section, link)) link.mtu = mtu;
      const name = valueOf(file, 'Link', 'Name');
      if (name !== undefined && findLink(section, name) === undefined) link.name = name;
    }
  });
  await showLinks(machine);
}

/** The part of `udevadm trigger` that concerns network devices: names and settings are applied again on `add` and `move`. */
export async function triggerNetwork(
  { machine, files }: ToolCall,
  args: readonly string[],
): Promise<ToolResult> {
  const values = (option: string): string[] =>
    args.filter((arg) => arg.startsWith(`--${option}=`)).map((arg) => arg.slice(option.length + 3));
  const [action = 'change'] = values('action').toReversed();
  const subsystems = values('subsystem-match');
  const names = values('sysname-match');
  if ((action === 'add' || action === 'move') && (subsystems.length === 0 || subsystems.includes('net'))) {
    await triggerNetworkDevices(machine, files, names.length === 0 ? undefined : names);
  }
  return {};
}
