/**
 * What is under way and must be known after a crash: pools that are being created, and drives to be wiped as soon as
 * their pool has let go of them. Kept in a file of its own, written before the work starts.
 */
import { HOST, type Host } from '@incusos/host';
import { Inject, Injectable } from '@nestjs/common';
import { stateDirectory } from './keys.ts';

export interface PendingCreation {
  readonly pool: string;
  readonly devices: readonly string[];
}

export interface PendingWipe {
  readonly pool: string;
  /** Path of the member as the pool knew it. */
  readonly device: string;
}

interface Pending {
  readonly creations: readonly PendingCreation[];
  readonly wipes: readonly PendingWipe[];
}

const path = `${stateDirectory}/operations.json`;
const nothing: Pending = { creations: [], wipes: [] };

@Injectable()
export class Operations {
  private record: Promise<Pending> | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  constructor(@Inject(HOST) private readonly host: Host) {}

  async read(): Promise<Pending> {
    this.record ??= this.load().catch((error: unknown) => {
      this.record = undefined;
      throw error;
    });
    return this.record;
  }

  addCreation(creation: PendingCreation): Promise<void> {
    return this.change((record) => ({ ...record, creations: [...record.creations, creation] }));
  }

  endCreation(pool: string): Promise<void> {
    return this.change((record) => ({
      ...record,
      creations: record.creations.filter((creation) => creation.pool !== pool),
    }));
  }

  addWipe(wipe: PendingWipe): Promise<void> {
    return this.change((record) => ({
      ...record,
      wipes: [...record.wipes.filter(({ device }) => device !== wipe.device), wipe],
    }));
  }

  endWipe(device: string): Promise<void> {
    return this.change((record) => ({
      ...record,
      wipes: record.wipes.filter((wipe) => wipe.device !== device),
    }));
  }

  private async load(): Promise<Pending> {
    if (!(await this.host.files.exists(path))) return nothing;
    try {
      return { ...nothing, ...(JSON.parse(await this.host.files.readText(path)) as Partial<Pending>) };
    } catch (error) {
      // It is written atomically; one that can't be read was not written by us, and nothing may be done because of it.
      if (error instanceof SyntaxError) return nothing;
      throw error;
    }
  }

  private change(edit: (record: Pending) => Pending): Promise<void> {
    const result = this.queue.then(async () => {
      const next = edit(await this.read());
      await this.host.files.writeAtomic(path, `${JSON.stringify(next, undefined, 2)}\n`, { mode: 0o600 });
      this.record = Promise.resolve(next);
    });
    this.queue = result.catch(() => undefined);
    return result;
  }
}
