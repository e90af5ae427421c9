/** The files of the emulated machine, with a kernel behind those below `/proc` and `/sys`. */
import type { FileHandle } from 'node:fs/promises';
import { posix } from 'node:path';
import { type Duplex, duplexPair } from 'node:stream';
import type { FileSystemSpace } from '@incusos/host';
import type { Area } from './area.ts';
import { FaultyFiles } from './faults/faulty-files.ts';
import type { EmulatedMachine } from './machine/emulated-machine.ts';
import { rootSpace } from './storage/root-space.ts';

/** Groups of the machine that files are given to. */
const groups: ReadonlySet<string> = new Set(['systemd-network']);

export class EmulatedFiles extends FaultyFiles {
  constructor(
    private readonly computer: EmulatedMachine,
    private readonly areas: readonly Area[],
  ) {
    super(computer);
  }

  override async readText(path: string): Promise<string> {
    for (const { liveFiles } of this.areas) {
      const content = liveFiles?.[path];
      if (content !== undefined) return content(this.computer);
    }
    const [directory, name] = [posix.dirname(path), posix.basename(path)];
    for (const { liveDirectories } of this.areas) {
      const content = liveDirectories?.[directory]?.(this.computer, name);
      if (content !== undefined) return content;
    }
    return super.readText(path);
  }

  override async readBytes(path: string): Promise<Buffer> {
    if (this.areas.some(({ liveFiles }) => liveFiles?.[path] !== undefined))
      return Buffer.from(await this.readText(path));
    return super.readBytes(path);
  }

  override async exists(path: string): Promise<boolean> {
    return this.areas.some(({ liveFiles }) => liveFiles?.[path] !== undefined) || super.exists(path);
  }

  override async connect(path: string): Promise<Duplex> {
    for (const { sockets } of this.areas) {
      const answer = sockets?.[path];
      if (answer === undefined) continue;
      const [near, far] = duplexPair();
      answer(this.computer, far);
      return near;
    }
    return super.connect(path);
  }

  override async space(path: string): Promise<FileSystemSpace> {
    const real = await super.space(path);
    return path.startsWith('/boot') ? real : (rootSpace(this.computer.read().storage) ?? real);
  }

  /** Whoever runs the emulation need not be root; its programs go by the permissions alone. */
  protected override giveTo(_handle: FileHandle, group: string): Promise<void> {
    return groups.has(group)
      ? Promise.resolve()
      : Promise.reject(new Error(`the machine has no group ${group}`));
  }

  override async writeInPlace(path: string, data: string): Promise<void> {
    for (const { beforeWrite } of this.areas) await beforeWrite?.(this.computer, path, data);
    await super.writeInPlace(path, data);
    for (const { onWrite } of this.areas) await onWrite?.(this.computer, path, data);
  }
}
