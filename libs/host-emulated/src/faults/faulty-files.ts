/** The files of the emulated machine with the faults that were asked for. */
import { join } from 'node:path';
import { LocalFiles, type WriteOptions } from '@incusos/host';
import type { EmulatedMachine } from '../machine/emulated-machine.ts';

export class FaultyFiles extends LocalFiles {
  constructor(private readonly machine: EmulatedMachine) {
    super(join(machine.directory, 'root'));
  }

  override async writeAtomic(path: string, data: string | Uint8Array, options?: WriteOptions): Promise<void> {
    this.needsSpace(path);
    await super.writeAtomic(path, data, options);
  }

  override async append(path: string, data: string): Promise<void> {
    this.needsSpace(path);
    await super.append(path, data);
  }

  private needsSpace(path: string): void {
    const full = this.machine.read().faults.full_directories;
    if (full.some((directory) => path === directory || path.startsWith(`${directory}/`))) {
      throw Object.assign(new Error(`ENOSPC: no space left on device, write '${path}'`), { code: 'ENOSPC' });
    }
  }
}
