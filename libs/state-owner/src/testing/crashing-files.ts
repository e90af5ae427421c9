/** Files of a machine that loses its power before the n-th change to them: that change and all later ones fail. */
import { LocalFiles, type WriteOptions } from '@incusos/host';

class PowerCut extends Error {}

export class CrashingFiles extends LocalFiles {
  changes = 0;

  constructor(
    root: string,
    private readonly crashAt = Infinity,
  ) {
    super(root);
  }

  override async writeAtomic(path: string, data: string | Uint8Array, options?: WriteOptions): Promise<void> {
    this.change();
    await super.writeAtomic(path, data, options);
  }

  override async makeDirectory(path: string, mode?: number): Promise<void> {
    this.change();
    await super.makeDirectory(path, mode);
  }

  override async rename(from: string, to: string): Promise<void> {
    this.change();
    await super.rename(from, to);
  }

  override async remove(path: string): Promise<void> {
    this.change();
    await super.remove(path);
  }

  private change(): void {
    this.changes += 1;
    if (this.changes >= this.crashAt) throw new PowerCut('the power is gone');
  }
}
