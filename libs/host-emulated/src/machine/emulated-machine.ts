/**
 * Keeps an emulated machine in a directory shared by several processes.
 *
 * Invariants: `machine.json` is replaced as a whole; a change is read, made and written under one lock, so no
 * process loses another's; the lock ends with the process that has it.
 */
import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, watch, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join, resolve as resolvePath } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LocalFiles } from '@incusos/host';
import { keepIndex } from '../network/link-index.ts';
import { defaultMachine, parseMachine } from './machine-file.ts';
import type { Machine } from './machine.ts';

/** Another process kept the machine's lock for too long. */
export class MachineBusyError extends Error {
  override readonly name = 'MachineBusyError';
}

const lockPatienceMs = 10_000;

export class EmulatedMachine {
  /** The machine's own files, `/etc`, `/sys` and so on, as they are in the directory `root`. */
  readonly files: LocalFiles;
  private readonly path: string;
  private readonly lockName: string;
  private cached: { readonly stamp: string; readonly machine: Machine } | undefined;
  private queue: Promise<unknown> = Promise.resolve();

  /** @param directory holds `machine.json` and `root/`. */
  constructor(readonly directory: string) {
    this.path = join(directory, 'machine.json');
    this.lockName = `\0incusos-machine-${createHash('sha256').update(resolvePath(directory)).digest('hex').slice(0, 32)}`;
    this.files = new LocalFiles(join(directory, 'root'));
  }

  /** Whether the directory holds a machine already. */
  get exists(): boolean {
    return existsSync(this.path);
  }

  /** Puts a machine into the directory. */
  create(machine: Machine = defaultMachine()): void {
    mkdirSync(join(this.directory, 'root'), { recursive: true });
    this.write(machine);
  }

  /** The machine as it is now. Not to be changed; {@link EmulatedMachine.change} does that. */
  read(): Readonly<Machine> {
    const stats = statSync(this.path, { bigint: true });
    const stamp = `${stats.ino}:${stats.mtimeNs}:${stats.size}`;
    if (this.cached?.stamp !== stamp) {
      const machine = parseMachine(readFileSync(this.path, 'utf8'));
      keepIndex(machine.network);
      this.cached = { stamp, machine };
    }
    return this.cached.machine;
  }

  /**
   * Changes the machine. `edit` gets a copy that it may change; what it returns is handed on. Nothing is written
   * when it throws.
   */
  change<R>(edit: (machine: Machine) => R | Promise<R>): Promise<R> {
    const result = this.queue.then(async () => {
      const release = await this.lock();
      try {
        const machine = structuredClone(this.read()) as Machine;
        const answer = await edit(machine);
        this.write(machine);
        return answer;
      } finally {
        release();
      }
    });
    this.queue = result.catch(() => undefined);
    return result;
  }

  /** Calls back when the machine may have changed, by whichever process. */
  watch(onChange: () => void): { close(): void } {
    return watch(this.directory, { persistent: false }, (_event, name) => {
      if (name === 'machine.json') onChange();
    });
  }

  private write(machine: Machine): void {
    const temporary = `${this.path}.${randomBytes(4).toString('hex')}.tmp`;
    // It holds the keys of the pools, as the drives of a real machine would.
    writeFileSync(temporary, `${JSON.stringify(machine, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(temporary, this.path);
  }

  private async lock(): Promise<() => void> {
    const deadline = Date.now() + lockPatienceMs;
    for (;;) {
      const release = await bind(this.lockName);
      if (release !== undefined) return release;
      if (Date.now() > deadline)
        throw new MachineBusyError(`the emulated machine in ${this.directory} is busy`);
      await sleep(2 + Math.random() * 6);
    }
  }
}

/**
 * Binds a socket of the abstract namespace (unix(7)): only one process has a name at a time, and the kernel takes it
 * back when that process ends, however it does.
 * @returns what gives the name back; undefined while another has it.
 */
function bind(name: string): Promise<(() => void) | undefined> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(undefined);
      else reject(error);
    });
    server.listen(name, () => resolve(() => server.close()));
  });
}
