/** Disks and their partitions, as lsblk(8) lists them. Sizes in bytes. */
import {
  ResourcesStorage,
  ResourcesStorageDisk,
  ResourcesStorageDiskPartition,
} from '@incusos/contracts/system';
import type { Host } from '@incusos/host';
import { type KernelView, pciAddressIn } from './kernel-view.ts';

const columns = 'NAME,TYPE,SIZE,RO,RM,ROTA,PHY-SEC,MAJ:MIN,MODEL,SERIAL,WWN,REV,SUBSYSTEMS,ID-LINK,PARTN';

interface Row {
  readonly name: string;
  readonly type: string;
  readonly size: number;
  readonly ro: boolean;
  readonly rm: boolean;
  readonly rota: boolean;
  readonly 'phy-sec': number;
  readonly 'maj:min': string;
  readonly model: string | null;
  readonly serial: string | null;
  readonly wwn: string | null;
  readonly rev: string | null;
  readonly subsystems: string | null;
  readonly 'id-link': string | null;
  readonly partn: number | null;
  readonly children?: readonly Row[];
}

/** The block devices as lsblk(8) lists them, which is asked again when udev learned something of one. */
export class BlockDevices {
  private listed: { readonly mark: string; readonly rows: Promise<readonly Row[]> } | undefined;

  constructor(private readonly host: Host) {}

  async rows(): Promise<readonly Row[]> {
    // Before lsblk runs: what udev learns meanwhile has it run again the next time.
    const mark = await this.mark();
    if (this.listed?.mark !== mark) {
      const listed = { mark, rows: this.ask() };
      this.listed = listed;
      listed.rows.catch(() => {
        if (this.listed === listed) this.listed = undefined;
      });
    }
    return this.listed.rows;
  }

  /** The devices that there are, and when udev wrote the record of each (`b<major>:<minor>`). */
  private async mark(): Promise<string> {
    const { files } = this.host;
    const [names, records] = await Promise.all([
      files.list('/sys/class/block'),
      files.list('/run/udev/data'),
    ]);
    const written = await Promise.all(
      records
        .filter((record) => record.startsWith('b'))
        .map(async (record) => {
          const stat = await files.stat(`/run/udev/data/${record}`);
          return `${record} ${stat?.size ?? ''} ${stat?.modifiedAt.getTime() ?? ''}`;
        }),
    );
    return [...names, ...written].join('\n');
  }

  private async ask(): Promise<readonly Row[]> {
    const { stdout } = await this.host.programs.run(['lsblk', '-J', '-b', '-o', columns]);
    return (JSON.parse(stdout) as { readonly blockdevices: readonly Row[] }).blockdevices;
  }
}

export async function readDisks(kernel: KernelView, devices: BlockDevices): Promise<ResourcesStorage> {
  const [blockdevices, byPath] = await Promise.all([devices.rows(), pathLinks(kernel)]);
  const disks = blockdevices.filter(
    ({ name, type }) => type === 'disk' && !/^(?:zram|zd|ram)\d+$/u.test(name),
  );
  return ResourcesStorage.create({
    disks: await Promise.all(disks.map((row) => readDisk(kernel, row, byPath))),
    total: disks.length,
  });
}

async function readDisk(
  kernel: KernelView,
  row: Row,
  byPath: ReadonlyMap<string, string>,
): Promise<ResourcesStorageDisk> {
  const place = await kernel.realPath(`/sys/class/block/${row.name}`);
  const pci_address = pciAddressIn(place);
  const path = byPath.get(row.name);
  const partitions = (row.children ?? []).filter(({ type }) => type === 'part');
  return ResourcesStorageDisk.create({
    id: row.name,
    device: row['maj:min'],
    ...optional('model', row.model),
    ...optional('type', transport(row.subsystems ?? '')),
    read_only: row.ro,
    size: BigInt(row.size),
    removable: row.rm,
    ...optional('wwn', row.wwn),
    ...optional('device_path', path ?? null),
    block_size: row['phy-sec'],
    ...optional('firmware_version', row.rev?.trim() ?? null),
    // The kernel tells disks that turn from others, not how fast they do; 1 stands for "turns".
    rpm: row.rota ? 1 : 0,
    ...optional('serial', row.serial),
    device_id: row['id-link'] ?? '',
    partitions: partitions.map((partition) =>
      ResourcesStorageDiskPartition.create({
        id: partition.name,
        device: partition['maj:min'],
        read_only: partition.ro,
        size: BigInt(partition.size),
        partition: partition.partn ?? 0,
      }),
    ),
    numa_node: pci_address === undefined ? 0 : await kernel.numaNode(`/sys/bus/pci/devices/${pci_address}`),
    ...optional('pci_address', pci_address ?? null),
  });
}

type TextField = 'model' | 'type' | 'wwn' | 'device_path' | 'firmware_version' | 'serial' | 'pci_address';

function optional<K extends TextField>(key: K, value: string | null): Partial<Record<K, string>> {
  return value === null || value === '' ? {} : ({ [key]: value } as Partial<Record<K, string>>);
}

/** The bus from a chain such as `block:scsi:usb:pci`: the most telling one. */
function transport(subsystems: string): string {
  const chain = subsystems.split(':');
  return ['usb', 'nvme', 'mmc', 'scsi', 'virtio'].find((name) => chain.includes(name)) ?? '';
}

/** Device name → name of its link in `/dev/disk/by-path`. */
async function pathLinks(kernel: KernelView): Promise<ReadonlyMap<string, string>> {
  const names = await kernel.list('/dev/disk/by-path');
  const entries = await Promise.all(
    names.map(async (name) => [await kernel.linkName(`/dev/disk/by-path/${name}`), name] as const),
  );
  return new Map(
    entries.flatMap(([device, name]) => (device === undefined ? [] : [[device, name] as const])),
  );
}
