/** The emulated `lsblk`, JSON form only: what util-linux 2.41 prints with `-J`. */
import { toolJson } from '../../tools/tool-json.ts';
import { type Tool, failure } from '../../tools/tool.ts';
import { attachedDrives, linksOf, nodeOf, sizeOf, subsystemsOf, type BlockDevice } from '../devices.ts';
import { parseOptions } from '../options.ts';
import { MiB, type Partition, type StorageSection } from '../section.ts';

type Row = Record<string, string | number | boolean | null | string[] | Row[]>;

const columns: Readonly<
  Record<string, (device: BlockDevice, storage: Readonly<StorageSection>) => Row[string]>
> = {
  name: nodeOf,
  kname: nodeOf,
  path: nodeOf,
  'id-link': (device, storage) =>
    linksOf(storage, device)
      .find((link) => link.startsWith('/dev/disk/by-id/'))
      ?.slice('/dev/disk/by-id/'.length) ?? null,
  size: sizeOf,
  subsystems: ({ drive }) => subsystemsOf(drive),
  rm: ({ drive }) => drive.removable,
  wwn: ({ drive }) => drive.wwn ?? null,
  ro: () => false,
  rota: ({ drive }) => drive.bus === 'sata',
  'phy-sec': () => 512,
  'maj:min': (device, storage) => deviceNumber(device, storage),
  rev: ({ drive, partition }) => (partition === undefined && drive.bus !== 'nvme' ? '2.5+' : null),
  partn: ({ partition }) => partition?.number ?? null,
  type: ({ partition }) => (partition === undefined ? 'disk' : 'part'),
  fstype: ({ drive, partition }) =>
    partition === undefined
      ? (drive.signature ?? null)
      : partition.zfs_label === undefined
        ? null
        : 'zfs_member',
  partlabel: ({ partition }) => partition?.label ?? null,
  model: ({ drive }) => drive.model,
  serial: ({ drive }) => drive.serial,
  mountpoints: ({ partition }) => (partition?.label === 'esp' ? ['/boot'] : []),
};

/** SCSI disks have major 8 and 16 minors each, NVMe namespaces the extended major 259 (Documentation/admin-guide/devices.txt). */
function deviceNumber({ drive, partition }: BlockDevice, storage: Readonly<StorageSection>): string {
  const index = storage.drives.indexOf(drive);
  return `${drive.bus === 'nvme' ? 259 : 8}:${index * 16 + (partition?.number ?? 0)}`;
}

export const lsblk: Tool = ({ args, machine }) => {
  const options = parseOptions(args, 'JMpdbe:o:ns');
  if (options.unknown !== undefined)
    return failure(`lsblk: invalid option -- '${options.unknown}'\nTry 'lsblk --help' for more information.`);
  if (!options.flags.has('J')) return failure('lsblk: the emulated machine prints JSON only, use -J');
  const wanted = (options.values.get('o')?.at(-1) ?? 'NAME,SIZE,RM,TYPE,MOUNTPOINTS')
    .split(',')
    .map((name) => name.toLowerCase().replaceAll('_', '-'));
  const unknown = wanted.find((name) => columns[name] === undefined);
  if (unknown !== undefined) return failure(`lsblk: unknown column: ${unknown.toUpperCase()}`);
  const { storage } = machine.read();
  const row = (device: BlockDevice): Row =>
    Object.fromEntries(
      wanted.map((name) => [
        name,
        options.flags.has('p')
          ? (columns[name]?.(device, storage) ?? null)
          : unprefixed(name, columns[name]?.(device, storage) ?? null),
      ]),
    );
  const drives = attachedDrives(storage).filter(
    (drive) => options.operands.length === 0 || options.operands.includes(`/dev/${drive.name}`),
  );
  if (options.operands.length > 0 && drives.length === 0)
    return failure(`lsblk: ${options.operands[0] ?? ''}: not a block device`, 32);
  const blockdevices = drives.map((drive) => {
    const children = options.flags.has('d')
      ? []
      : drive.partitions
          .filter(({ mapper }) => mapper === undefined)
          .map((partition): Row => ({
            ...row({ drive, partition }),
            ...mapped(partition, wanted),
          }));
    return children.length === 0 ? row({ drive }) : { ...row({ drive }), children };
  });
  // The tree hangs on the column NAME; without it there is a list.
  const shown = wanted.includes('name') ? blockdevices : blockdevices.flatMap(flattened);
  return { stdout: `${toolJson({ blockdevices: shown }, 3)}\n` };
};

function flattened({ children, ...row }: Row): Row[] {
  return [row, ...(Array.isArray(children) ? children : []).flatMap((child) => flattened(child as Row))];
}

/** The LUKS mapping in a partition of the installed system. */
function mapped(partition: Partition, names: readonly string[]): Row {
  if (partition.label !== 'root' && partition.label !== 'swap') return {};
  const root = partition.label === 'root';
  const mapping: Row = {
    name: `/dev/mapper/${partition.label}`,
    kname: root ? '/dev/dm-1' : '/dev/dm-0',
    path: `/dev/mapper/${partition.label}`,
    size: partition.size_bytes - 16 * MiB,
    rm: false,
    type: 'crypt',
    subsystems: 'block',
    mountpoints: [root ? '/' : '[SWAP]'],
  };
  return { children: [Object.fromEntries(names.map((name) => [name, mapping[name] ?? null]))] };
}

function unprefixed(name: string, value: Row[string]): Row[string] {
  return typeof value === 'string' && ['name', 'kname'].includes(name) ? value.replace('/dev/', '') : value;
}
