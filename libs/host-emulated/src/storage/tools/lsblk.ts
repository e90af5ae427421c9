/** The emulated `lsblk`, JSON form only: what util-linux 2.41 prints with `-J`. */
import type { Machine } from '../../machine/machine.ts';
import { freeMinor } from '../../security/mappings.ts';
import { toolJson } from '../../tools/tool-json.ts';
import { type Tool, failure } from '../../tools/tool.ts';
import {
  attachedDrives,
  findDevice,
  linksOf,
  nodeOf,
  sizeOf,
  subsystemsOf,
  type BlockDevice,
} from '../devices.ts';
import { parseOptions } from '../options.ts';
import { MiB, type StorageSection } from '../section.ts';

type Row = Record<string, string | number | boolean | null | string[] | Row[]>;

const majors = { scsi: 8, sata: 8, usb: 8, nvme: 259, virtio: 253 } as const;
const revisions = { scsi: '2.5+', sata: '2.5+', usb: '2.5+', nvme: '10.0.13', virtio: null } as const;

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
  rota: ({ drive }) => drive.bus !== 'nvme',
  'phy-sec': () => 512,
  'maj:min': (device, storage) => deviceNumber(device, storage),
  rev: ({ drive, partition }) => (partition === undefined ? revisions[drive.bus] : null),
  partn: ({ partition }) => partition?.number ?? null,
  type: ({ partition }) => (partition === undefined ? 'disk' : 'part'),
  fstype: ({ drive, partition }) =>
    partition === undefined
      ? (drive.signature ?? null)
      : partition.zfs_label === undefined
        ? null
        : 'zfs_member',
  partlabel: ({ partition }) => partition?.label ?? null,
  model: ({ drive, partition }) => (partition === undefined && drive.model !== '' ? drive.model : null),
  serial: ({ drive, partition }) => (partition === undefined ? drive.serial : null),
  mountpoints: ({ partition }) => (partition?.label === 'esp' ? ['/boot'] : []),
};

/** SCSI disks have major 8 and 16 minors each, NVMe namespaces the extended major 259 (Documentation/admin-guide/devices.txt); virtio's is the next free one. */
function deviceNumber({ drive, partition }: BlockDevice, storage: Readonly<StorageSection>): string {
  const index = storage.drives.indexOf(drive);
  return `${majors[drive.bus]}:${index * 16 + (partition?.number ?? 0)}`;
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
  const mapped = (mapping: Row): Row =>
    Object.fromEntries(
      wanted.map((name) => {
        const value = mapping[name] ?? null;
        return [name, options.flags.has('p') ? value : unprefixed(name, value)];
      }),
    );
  const drives = attachedDrives(storage).filter(
    (drive) => options.operands.length === 0 || options.operands.includes(`/dev/${drive.name}`),
  );
  if (options.operands.length > 0 && drives.length === 0)
    return failure(`lsblk: ${options.operands[0] ?? ''}: not a block device`, 32);
  const mappings = new Mappings(machine.read());
  const blockdevices = drives.map((drive): Row => {
    const above = mappings.on({ drive });
    const partitions = drive.partitions.filter(({ mapper }) => mapper === undefined);
    const children = [
      ...partitions.map((partition) =>
        withChildren(row({ drive, partition }), mappings.on({ drive, partition }).map(mapped)),
      ),
      ...above.map(mapped),
    ];
    return withChildren(row({ drive }), options.flags.has('d') ? [] : children);
  });
  // The tree hangs on the column NAME; without it there is a list.
  const shown = wanted.includes('name') ? blockdevices : blockdevices.flatMap(flattened);
  return { stdout: `${toolJson({ blockdevices: shown }, 3)}\n` };
};

function flattened({ children, ...row }: Row): Row[] {
  return [row, ...(Array.isArray(children) ? children : []).flatMap((child) => flattened(child as Row))];
}

function withChildren(row: Row, children: Row[]): Row {
  return children.length === 0 ? row : { ...row, children };
}

const mountpoints: Readonly<Record<string, string>> = { root: '/', swap: '[SWAP]', usr: '/usr' };

/** What device-mapper makes of drives and partitions: opened LUKS volumes, and the verity device of the running `/usr`. */
class Mappings {
  private readonly rows: readonly { readonly node: string; readonly row: Row }[];

  constructor({ storage, security, system }: Readonly<Machine>) {
    const verity = new RegExp(`^${system.os.name}_\\d+(?:_verity)?$`, 'u');
    const slots = attachedDrives(storage).flatMap((drive) =>
      drive.partitions
        .filter(({ label }) => verity.test(label))
        .map((partition) => nodeOf({ drive, partition })),
    );
    const usr = mappingRow('usr', freeMinor(security), usrBytes, true);
    const opened = security.mappings.flatMap(({ name, device, minor }) => {
      const found = findDevice(storage, device);
      if (found === undefined) return [];
      return { node: nodeOf(found), row: mappingRow(name, minor, sizeOf(found) - 16 * MiB, false) };
    });
    this.rows = [...slots.map((node) => ({ node, row: usr })), ...opened];
  }

  on(device: BlockDevice): readonly Row[] {
    const node = nodeOf(device);
    return this.rows.filter((each) => each.node === node).map(({ row }) => row);
  }
}

const usrBytes = 356 * MiB;

function mappingRow(name: string, minor: number, size: number, ro: boolean): Row {
  const mountpoint = mountpoints[name];
  return {
    name: `/dev/mapper/${name}`,
    kname: `/dev/dm-${minor}`,
    path: `/dev/mapper/${name}`,
    type: 'crypt',
    size,
    ro,
    rm: false,
    rota: true,
    'phy-sec': ro ? 4096 : 512,
    'maj:min': `254:${minor}`,
    subsystems: 'block',
    'id-link': `dm-name-${name}`,
    mountpoints: mountpoint === undefined ? [] : [mountpoint],
  };
}

function unprefixed(name: string, value: Row[string]): Row[string] {
  return typeof value === 'string' && ['name', 'kname'].includes(name)
    ? value.replace(/^\/dev\/(?:mapper\/)?/u, '')
    : value;
}
