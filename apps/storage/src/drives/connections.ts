/** Whether a drive is reached over a network, from where sysfs has it. */
import type { Files } from '@incusos/host';
import type { Connection } from './drive-list.ts';
import type { BlockDevice } from './lsblk.ts';

const plain: Connection = { remote: false, multipath: false };

/** Looks up how drives are connected; only SCSI and NVMe can be remote. */
export async function readConnections(
  files: Files,
  devices: readonly BlockDevice[],
): Promise<Map<string, Connection>> {
  const controllers = devices.some(({ subsystems }) => subsystems.includes('nvme'))
    ? await nvmeControllers(files)
    : new Map<string, string[]>();
  const found = await Promise.all(
    devices.map(async ({ node, subsystems }): Promise<[string, Connection]> => {
      const name = node.slice('/dev/'.length);
      if (subsystems.includes('nvme')) {
        const transports = controllers.get(name) ?? [];
        const remote = transports.length > 0 ? !transports.includes('pcie') : !subsystems.includes('pci');
        return [node, { remote, multipath: transports.length > 1 }];
      }
      const path = await files.realPath(`/sys/class/block/${name}`).catch(() => '');
      return [node, path.includes('/rport-') ? { ...plain, remote: true } : plain];
    }),
  );
  return new Map(found);
}

/** The transports of the controllers through which each NVMe namespace is reached. */
async function nvmeControllers(files: Files): Promise<Map<string, string[]>> {
  const transports = new Map<string, string[]>();
  for (const subsystem of await files.list('/sys/class/nvme-subsystem')) {
    const names = await files.list(`/sys/class/nvme-subsystem/${subsystem}`);
    const controllers = names.filter((name) => /^nvme\d+$/u.test(name));
    const used = await Promise.all(
      controllers.map((name) =>
        files.readText(`/sys/class/nvme-subsystem/${subsystem}/${name}/transport`).catch(() => ''),
      ),
    );
    for (const namespace of names.filter((name) => /^nvme\d+n\d+$/u.test(name)))
      transports.set(
        namespace,
        used.map((text) => text.trim()),
      );
  }
  return transports;
}
