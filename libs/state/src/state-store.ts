/**
 * The configuration of one service.
 *
 * Invariants: `current` is always what the state file says (or the initial state before the first commit); a
 * commit is one fsync'd replacement of the file, after which `current` changes; commits run one after another;
 * a file that can't be used is never overwritten before someone decided to, and until then nothing is written.
 */
import type { Host } from '@incusos/host';
import { StateFileError, StateRefusedError, StateWriteError } from './state-error.ts';
import { formatStateFile, parseStateFile, type StateFile } from './state-file.ts';

export interface StateDefinition<T> {
  /** The service's directory, such as `/var/lib/incus-os/network`; made with mode 0700. */
  readonly directory: string;
  /** Schema version written by this release, from 1. */
  readonly version: number;
  /** The state of a machine that never had one. */
  readonly initial: () => T;
  /** `migrations[n]` turns data of version n into version n + 1, on a copy. */
  readonly migrations?: Readonly<Record<number, (data: unknown) => unknown>>;
  /** Confirms the shape of migrated data; throws with a reason when it isn't a `T`. */
  readonly validate: (data: unknown) => T;
  /** Previous versions kept in `history/`; 10 unless given. */
  readonly keep?: number;
}

/** A version that can be gone back to. */
export interface PreviousVersion {
  readonly file: string;
  readonly sequence: number;
  /** RFC 3339. */
  readonly savedAt: string;
  readonly reason: string;
}

/** Why the state file was refused, and what could be used instead. */
export interface StateProblem {
  readonly error: StateFileError;
  readonly previous: PreviousVersion | undefined;
}

interface Loaded<T> {
  readonly data: T;
  readonly sequence: number;
  readonly reason: string;
}

const fileName = 'state.json';
/** What an atomic replacement leaves behind when the process is killed in its middle. */
const leftover = /^\.[0-9a-f]{12}\.tmp$/u;

export class StateStore<T> {
  private queue: Promise<unknown> = Promise.resolve();

  private constructor(
    private readonly host: Host,
    private readonly definition: StateDefinition<T>,
    private state: Loaded<T>,
    private refused: StateProblem | undefined,
  ) {}

  /** Reads the state file, or the newest usable previous version when it is refused ({@link StateStore.problem} says so). */
  static async open<T>(host: Host, definition: StateDefinition<T>): Promise<StateStore<T>> {
    await host.files.makeDirectory(definition.directory, 0o700);
    await removeLeftovers(host, definition.directory);
    const path = `${definition.directory}/${fileName}`;
    const unused = { data: definition.initial(), sequence: 0, reason: '' };
    if (!(await host.files.exists(path))) return new StateStore(host, definition, unused, undefined);
    try {
      return new StateStore(host, definition, await load(host, definition, path), undefined);
    } catch (error) {
      if (!(error instanceof StateFileError)) throw error;
      const fallback = await newestUsable(host, definition);
      return new StateStore(host, definition, fallback?.loaded ?? unused, {
        error,
        previous: fallback?.version,
      });
    }
  }

  /** The service's directory. */
  get directory(): string {
    return this.definition.directory;
  }

  /** Schema version written by this release. */
  get version(): number {
    return this.definition.version;
  }

  /** The state in force. Not to be changed in place. */
  get current(): Readonly<T> {
    return this.state.data;
  }

  /** Set while the state file is refused; `current` is then the previous version, or the initial state, and read-only. */
  get problem(): StateProblem | undefined {
    return this.refused;
  }

  /** The number of the last commit; 0 before the first. */
  get revision(): number {
    return this.state.sequence;
  }

  /** What the last commit was for; empty before the first. */
  get reason(): string {
    return this.state.reason;
  }

  /**
   * Replaces the state. The change sees the state in force when its turn comes.
   * @param reason what the change is for, kept in the file.
   * @throws StateRefusedError while the state file is refused.
   * @throws StateWriteError when it did not reach the disk, `ENOSPC` included; the state is then unchanged.
   */
  commit(reason: string, change: (state: Readonly<T>) => T): Promise<Readonly<T>> {
    return this.exclusive(async () => {
      if (this.refused !== undefined) throw new StateRefusedError(refusal(this.refused));
      const next = change(this.state.data);
      await this.write(reason, next);
      return next;
    });
  }

  /** Previous versions, newest first. */
  async history(): Promise<PreviousVersion[]> {
    const versions: PreviousVersion[] = [];
    for (const file of await historyFiles(this.host, this.definition.directory)) {
      const kept = await readKept(this.host, this.definition, file);
      if (kept !== undefined) versions.push(kept.version);
    }
    return versions;
  }

  /**
   * Puts a whole state in place, such as one from a backup. Unlike {@link StateStore.commit} it also ends the refusal
   * of a state file, which is kept below `refused/`.
   * @throws StateWriteError as `commit` does.
   */
  replace(reason: string, data: T): Promise<Readonly<T>> {
    return this.exclusive(async () => {
      await this.write(reason, data, this.refused === undefined ? undefined : this.refusedName());
      return data;
    });
  }

  /** Goes back to the state of a machine that never had one; otherwise as {@link StateStore.replace}. */
  reset(reason: string): Promise<Readonly<T>> {
    return this.replace(reason, this.definition.initial());
  }

  /**
   * Ends the refusal of a state file: goes on with the previous version or the initial state. The refused file is
   * kept under another name.
   * @returns where the refused file is now.
   * @throws StateRefusedError when there is nothing to recover from, or nothing to go back to.
   */
  recover(use: 'previous' | 'initial'): Promise<string> {
    return this.exclusive(async () => {
      const problem = this.refused;
      if (problem === undefined)
        throw new StateRefusedError('the state file is in use, there is nothing to recover');
      if (use === 'previous' && problem.previous === undefined) {
        throw new StateRefusedError('there is no previous version of the state to go back to');
      }
      const kept = this.refusedName();
      await this.write(
        `recovered: ${use}`,
        use === 'previous' ? this.state.data : this.definition.initial(),
        kept,
      );
      return kept;
    });
  }

  /** The bytes of the state file as a backup carries them; of `data` instead of the state in force when given. */
  exportText(data: Readonly<T> = this.state.data): string {
    return formatStateFile(this.envelope('exported', data, this.state.sequence));
  }

  /**
   * Checks a state file from elsewhere and migrates it; changes nothing.
   * @param name how the file is called in the error.
   * @throws StateFileError when it can't be used by this release.
   */
  parseExport(text: string, name: string): T {
    return migrate(this.definition, parseStateFile(text, name, this.definition.version), name);
  }

  private refusedName(): string {
    return `${this.definition.directory}/refused/${new Date().toISOString().replaceAll(/[:.]/gu, '-')}.json`;
  }

  /** @param refusedAs where the file that is replaced is kept when it is a refused one. */
  private async write(reason: string, next: T, refusedAs?: string): Promise<void> {
    const { directory, keep = 10 } = this.definition;
    const sequence = this.state.sequence + 1;
    const previous =
      this.state.sequence > 0
        ? `${directory}/history/${String(this.state.sequence).padStart(8, '0')}.json`
        : undefined;
    const keepPreviousAs = refusedAs ?? previous;
    try {
      await this.host.files.writeAtomic(
        `${directory}/${fileName}`,
        formatStateFile(this.envelope(reason, next, sequence)),
        {
          mode: 0o600,
          ...(keepPreviousAs === undefined ? {} : { keepPreviousAs }),
        },
      );
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
      const why = code === 'ENOSPC' ? 'no space is left on the disk' : `the disk refused it (${code})`;
      throw new StateWriteError(code, `the configuration could not be saved, nothing was changed: ${why}`, {
        cause: error,
      });
    }
    this.state = { data: next, sequence, reason };
    this.refused = undefined;
    await this.prune(keep);
  }

  /** A previous version too many is no reason to call a commit failed that reached the disk. */
  private async prune(keep: number): Promise<void> {
    const old = (await historyFiles(this.host, this.definition.directory)).slice(keep);
    await Promise.allSettled(old.map((file) => this.host.files.remove(file)));
  }

  private envelope(reason: string, data: Readonly<T>, sequence: number): StateFile {
    return { version: this.definition.version, sequence, saved_at: new Date().toISOString(), reason, data };
  }

  private exclusive<R>(work: () => Promise<R>): Promise<R> {
    const result = this.queue.then(work);
    this.queue = result.catch(() => undefined);
    return result;
  }
}

/** Opens a service's state; see {@link StateStore.open}. */
export function openState<T>(host: Host, definition: StateDefinition<T>): Promise<StateStore<T>> {
  return StateStore.open(host, definition);
}

function refusal({ error, previous }: StateProblem): string {
  const offer =
    previous === undefined
      ? 'no previous version is there'
      : `the previous version of ${previous.savedAt} is in use and can be kept`;
  return `${error.message}; it is kept, ${offer}; nothing can be changed before it was decided how to go on`;
}

function migrate<T>(definition: StateDefinition<T>, file: StateFile, path: string): T {
  let data = structuredClone(file.data);
  try {
    for (let version = file.version; version < definition.version; version += 1) {
      const step = definition.migrations?.[version];
      if (step === undefined) throw new Error(`there is no migration from version ${version}`);
      data = step(data);
    }
    return definition.validate(data);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new StateFileError(path, 'invalid', `state file ${path} can't be used: ${why}`);
  }
}

async function load<T>(host: Host, definition: StateDefinition<T>, path: string): Promise<Loaded<T>> {
  const file = parseStateFile(await readWhole(host, path), path, definition.version);
  return { data: migrate(definition, file, path), sequence: file.sequence, reason: file.reason };
}

async function readWhole(host: Host, path: string): Promise<string> {
  try {
    return await host.files.readText(path);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'EIO';
    throw new StateFileError(path, 'unreadable', `state file ${path} can't be read (${code})`);
  }
}

async function removeLeftovers(host: Host, directory: string): Promise<void> {
  const names = (await host.files.list(directory)).filter((name) => leftover.test(name));
  await Promise.all(names.map((name) => host.files.remove(`${directory}/${name}`)));
}

async function historyFiles(host: Host, directory: string): Promise<string[]> {
  const names = await host.files.list(`${directory}/history`);
  return names.toReversed().map((name) => `${directory}/history/${name}`);
}

async function readKept<T>(
  host: Host,
  definition: StateDefinition<T>,
  file: string,
): Promise<{ version: PreviousVersion; loaded: Loaded<T> } | undefined> {
  try {
    const parsed = parseStateFile(await readWhole(host, file), file, definition.version);
    const loaded = {
      data: migrate(definition, parsed, file),
      sequence: parsed.sequence,
      reason: parsed.reason,
    };
    return {
      version: { file, sequence: parsed.sequence, savedAt: parsed.saved_at, reason: parsed.reason },
      loaded,
    };
  } catch (error) {
    if (error instanceof StateFileError) return undefined;
    throw error;
  }
}

async function newestUsable<T>(
  host: Host,
  definition: StateDefinition<T>,
): Promise<{ version: PreviousVersion; loaded: Loaded<T> } | undefined> {
  for (const file of await historyFiles(host, definition.directory)) {
    const kept = await readKept(host, definition, file);
    if (kept !== undefined) return kept;
  }
  return undefined;
}
