/** The files that the kernel and udev keep for the drives: nodes, links below `/dev/disk`, and sysfs. */
import type { Files } from '@incusos/host';
import { attachedDrives, deviceLinks, nodeOf, sysfsPath } from './devices.ts';
import type { Drive, StorageSection } from './section.ts';

const linkDirectories = ['/dev/disk/by-id', '/dev/disk/by-path', '/dev/disk/by-partlabel'];

/** Makes the files match the description. Nodes are empty files: what is on a drive is in the description. */
export async function syncDeviceFiles(files: Files, storage: Readonly<StorageSection>): Promise<void> {
  const links = deviceLinks(storage);
  await Promise.all(
    [...linkDirectories, '/dev/mapper', '/sys/class/block'].map((directory) =>
      files.makeDirectory(directory),
    ),
  );
  await removeStale(files, new Set(links.keys()), storage);
  for (const [path, device] of links) {
    const node = nodeOf(device);
    // Made by whoever opens it.
    if (node.startsWith('/dev/mapper/')) continue;
    if (path === node) {
      if (!(await files.exists(node))) await files.append(node, '');
    } else if ((await currentTarget(files, path)) !== relativeTarget(node)) {
      await files.makeSymlink(relativeTarget(node), path);
    }
  }
  for (const drive of attachedDrives(storage)) {
    const directory = sysfsPath(storage, drive);
    if (await files.exists(`/sys/class/block/${drive.name}`)) continue;
    await files.makeDirectory(directory);
    await files.append(`${directory}/size`, `${drive.size_bytes / 512}\n`);
    await files.append(`${directory}/removable`, drive.removable ? '1\n' : '0\n');
    await files.makeSymlink(`../..${directory.slice('/sys'.length)}`, `/sys/class/block/${drive.name}`);
    if (drive.bus === 'nvme') await showNvmeSubsystem(files, storage, drive);
  }
  for (const host of ['host0']) {
    if (!(await files.exists(`/sys/class/scsi_host/${host}/scan`)))
      await files.append(`/sys/class/scsi_host/${host}/scan`, '');
  }
}

/** Every local NVMe drive is a subsystem of one controller on PCI. */
async function showNvmeSubsystem(
  files: Files,
  storage: Readonly<StorageSection>,
  drive: Drive,
): Promise<void> {
  const controller = drive.name.replace(/n\d+$/u, '');
  const directory = `/sys/class/nvme-subsystem/nvme-subsys${controller.slice('nvme'.length)}`;
  const address = /0000:[0-9a-f:.]+/u.exec(
    sysfsPath(storage, drive).slice('/sys/devices/pci0000:00/'.length),
  );
  // Left over from the boot before.
  await files.remove(directory);
  await files.makeDirectory(`${directory}/${drive.name}`);
  await files.append(`${directory}/subsysnqn`, `nqn.2019-08.org.qemu:${drive.serial}\n`);
  await files.append(`${directory}/${controller}/transport`, 'pcie\n');
  await files.append(`${directory}/${controller}/address`, `${address?.[0] ?? ''}\n`);
  await files.append(`${directory}/${controller}/state`, 'live\n');
}

function relativeTarget(node: string): string {
  return `../..${node.slice('/dev'.length)}`;
}

function currentTarget(files: Files, path: string): Promise<string | undefined> {
  return files.readLink(path).catch(() => undefined);
}

async function removeStale(
  files: Files,
  wanted: ReadonlySet<string>,
  storage: Readonly<StorageSection>,
): Promise<void> {
  for (const directory of linkDirectories) {
    for (const name of await files.list(directory)) {
      if (!wanted.has(`${directory}/${name}`)) await files.remove(`${directory}/${name}`);
    }
  }
  for (const name of await files.list('/dev')) {
    if (/^(?:[sv]d[a-z]+\d*|nvme\d+n\d+(?:p\d+)?)$/u.test(name) && !wanted.has(`/dev/${name}`))
      await files.remove(`/dev/${name}`);
  }
  const present = new Set(attachedDrives(storage).map((drive) => drive.name));
  for (const name of await files.list('/sys/class/block')) {
    if (present.has(name)) continue;
    await files.remove(
      await files.realPath(`/sys/class/block/${name}`).catch(() => `/sys/class/block/${name}`),
    );
    await files.remove(`/sys/class/block/${name}`);
    const nvme = /^nvme(\d+)n\d+$/u.exec(name)?.[1];
    if (nvme !== undefined) await files.remove(`/sys/class/nvme-subsystem/nvme-subsys${nvme}`);
  }
}
