/** What is done to the disk of a machine that is off. */
import { closeSync, existsSync, openSync, readSync, renameSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { output } from '../../../image/tools/programs.ts';
import { inside, insideArgv } from '../../../image/tools/roots.ts';

const sectorBytes = 512;

export interface Partition {
  readonly label: string;
  /** In bytes from the beginning of the disk. */
  readonly start: number;
  readonly size: number;
}

export class Disk {
  private readonly tools: string;
  private readonly path: string;

  constructor(tools: string, path: string) {
    this.tools = tools;
    this.path = path;
  }

  /** Has what the guest writes from now on go to a QCOW2 over the disk. */
  async layer(): Promise<void> {
    const create = ['qemu-img', 'create', '-q', '-f', 'qcow2', '-F', 'raw', '-b', 'disk.raw'] as const;
    await this.step([...create, '/vm/disk.qcow2']);
  }

  /** Makes one raw disk again of the disk and what is over it. */
  async flatten(): Promise<void> {
    const directory = dirname(this.path);
    const over = join(directory, 'disk.qcow2');
    if (!existsSync(over)) return;
    await this.step(['qemu-img', 'convert', '-f', 'qcow2', '-O', 'raw', '/vm/disk.qcow2', '/vm/flat.raw']);
    renameSync(join(directory, 'flat.raw'), this.path);
    rmSync(over);
  }

  /** The partition table. */
  partitions(): readonly Partition[] {
    const { partitiontable } = JSON.parse(this.run(['sfdisk', '--json', this.inside])) as {
      partitiontable: { partitions: readonly { start: number; size: number; name?: string }[] };
    };
    return partitiontable.partitions.map(({ start, size, name = '' }) => ({
      label: name,
      start: start * sectorBytes,
      size: size * sectorBytes,
    }));
  }

  /** @throws Error when there is no partition with this label. */
  partition(label: string): Partition {
    const found = this.partitions().find((partition) => partition.label === label);
    if (found === undefined) throw new Error(`the disk has no partition ${label}`);
    return found;
  }

  read(offset: number, length: number): Buffer {
    const file = openSync(this.path, 'r');
    try {
      const bytes = Buffer.alloc(length);
      readSync(file, bytes, 0, length, offset);
      return bytes;
    } finally {
      closeSync(file);
    }
  }

  write(offset: number, bytes: Buffer): void {
    const file = openSync(this.path, 'r+');
    try {
      writeSync(file, bytes, 0, bytes.length, offset);
    } finally {
      closeSync(file);
    }
  }

  /** Flips every bit of one byte. */
  flipByte(offset: number): void {
    const byte = this.read(offset, 1);
    this.write(offset, Buffer.from([(byte[0] ?? 0) ^ 0xff]));
  }

  /** The names of the kernels in the ESP. */
  kernels(): string[] {
    const names = this.run(['mdir', '-b', '-i', this.esp, '::/EFI/Linux']).split('\n');
    return names.map((name) => basename(name.trim())).filter((name) => name.endsWith('.efi'));
  }

  /** Copies a file of the ESP into the disk's directory. */
  async takeFromEsp(file: string, name: string): Promise<void> {
    await this.step(['mcopy', '-o', '-i', this.esp, `::${file}`, `/vm/${name}`]);
  }

  /** Puts a file of the disk's directory into the ESP. */
  async putIntoEsp(name: string, file: string): Promise<void> {
    await this.step(['mcopy', '-o', '-i', this.esp, `/vm/${name}`, `::${file}`]);
  }

  /** Removes a file from the ESP. */
  removeFromEsp(file: string): void {
    this.run(['mdel', '-i', this.esp, `::${file}`]);
  }

  private get inside(): string {
    return `/vm/${basename(this.path)}`;
  }

  private get esp(): string {
    return `${this.inside}@@${this.partition('esp').start}`;
  }

  private get mounts(): Record<string, string> {
    return { '/vm': dirname(this.path) };
  }

  private run(argv: readonly string[]): string {
    return output(insideArgv(this.tools, this.mounts, argv));
  }

  private async step(argv: readonly [string, ...string[]]): Promise<void> {
    await inside(this.tools, argv, { log: join(dirname(this.path), `${argv[0]}.log`), mounts: this.mounts });
  }
}
