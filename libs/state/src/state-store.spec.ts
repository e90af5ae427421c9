import { mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Host, LocalFiles, LocalPrograms, type WriteOptions } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost } from '@incusos/host-emulated';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { StateRefusedError, StateWriteError } from './state-error.ts';
import { openState, type StateDefinition } from './state-store.ts';

interface Settings {
  readonly name: string;
  readonly size: bigint;
  readonly labels: Readonly<Record<string, string>>;
}

const directory = '/var/lib/incus-os/settings';

function settings(overrides: Partial<StateDefinition<Settings>> = {}): StateDefinition<Settings> {
  return {
    directory,
    version: 1,
    initial: () => ({ name: 'initial', size: 0n, labels: {} }),
    validate: (data) => {
      if (typeof data !== 'object' || data === null || !('name' in data) || typeof data.name !== 'string')
        throw new Error('name is missing');
      const { name } = data;
      const size = 'size' in data && typeof data.size === 'bigint' ? data.size : 0n;
      const labels = 'labels' in data ? (data.labels as Record<string, string>) : {};
      return { name, size, labels };
    },
    ...overrides,
  };
}

/** Counts what reaches the disk in a way that survives a power cut. */
class CountingFiles extends LocalFiles {
  replaced: string[] = [];

  override async writeAtomic(path: string, data: string | Uint8Array, options?: WriteOptions): Promise<void> {
    this.replaced.push(path);
    await super.writeAtomic(path, data, options);
  }
}

let root: string;
let files: CountingFiles;
let host: Host;
let path: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'state-'));
  files = new CountingFiles(root);
  host = { files, programs: new LocalPrograms() };
  path = join(root, directory, 'state.json');
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

describe('commits', () => {
  test('a machine that never had a state has the initial one and no file', async () => {
    const store = await openState(host, settings());
    expect(store.current.name).toBe('initial');
    expect(store.revision).toBe(0);
    expect(files.replaced).toEqual([]);
  });

  test('a commit is there after a restart, 64-bit sizes and awkward keys included', async () => {
    const next = { name: 'a\nb "ü"', size: 2n ** 63n, labels: { $bigint: '12', $$bigint: 'x', 'a.b': '' } };
    await (await openState(host, settings())).commit('change', () => next);
    const reopened = await openState(host, settings());
    expect(reopened.current).toEqual(next);
    expect(reopened.reason).toBe('change');
  });

  test('a commit is exactly one replacement of the state file', async () => {
    const store = await openState(host, settings());
    for (const name of ['one', 'two', 'three']) await store.commit(name, (state) => ({ ...state, name }));
    expect(files.replaced).toEqual(Array.from({ length: 3 }, () => `${directory}/state.json`));
  });

  test('two commits at once both count, each seeing the one before it', async () => {
    const store = await openState(host, settings());
    await Promise.all(
      Array.from({ length: 20 }, async () =>
        store.commit('grow', (state) => ({ ...state, size: state.size + 1n })),
      ),
    );
    expect(store.current.size).toBe(20n);
    expect((await openState(host, settings())).current.size).toBe(20n);
  });

  test('a change that throws changes nothing and does not stop the next', async () => {
    const store = await openState(host, settings());
    const refused = store.commit('bad', () => {
      throw new Error('no');
    });
    const next = store.commit('good', (state) => ({ ...state, name: 'good' }));
    await expect(refused).rejects.toThrow('no');
    await next;
    expect(store.current.name).toBe('good');
    expect(store.revision).toBe(1);
  });

  test('state, history and directory are for their owner only', async () => {
    const store = await openState(host, settings());
    await store.commit('one', (state) => state);
    await store.commit('two', (state) => state);
    const mode = async (name: string): Promise<number> =>
      (await stat(join(root, directory, name))).mode & 0o777;
    expect(await mode('.')).toBe(0o700);
    expect(await mode('state.json')).toBe(0o600);
    expect(await mode('history')).toBe(0o700);
    expect(await mode('history/00000001.json')).toBe(0o600);
  });
});

describe('history', () => {
  test('keeps as many previous versions as asked for, newest first, with what they were for', async () => {
    const store = await openState(host, settings({ keep: 2 }));
    for (const name of ['one', 'two', 'three', 'four'])
      await store.commit(`set ${name}`, (state) => ({ ...state, name }));
    expect((await store.history()).map(({ sequence, reason }) => [sequence, reason])).toEqual([
      [3, 'set three'],
      [2, 'set two'],
    ]);
  });

  test('a damaged previous version is left out', async () => {
    const store = await openState(host, settings());
    for (const name of ['one', 'two', 'three'])
      await store.commit(`set ${name}`, (state) => ({ ...state, name }));
    await writeFile(join(root, directory, 'history/00000002.json'), 'rubbish');
    expect((await store.history()).map(({ sequence }) => sequence)).toEqual([1]);
  });
});

describe('a state file that cannot be used', () => {
  async function twoCommits(): Promise<void> {
    const store = await openState(host, settings());
    await store.commit('set old', (state) => ({ ...state, name: 'old' }));
    await store.commit('set new', (state) => ({ ...state, name: 'new' }));
  }

  test('is refused at whatever byte it is cut short', async () => {
    await twoCommits();
    const whole = await readFile(path);
    for (let length = 0; length < whole.length - 1; length += 1) {
      await writeFile(path, whole.subarray(0, length));
      expect((await openState(host, settings())).problem?.error.reason, `cut at ${length}`).toBe('cut-short');
    }
  });

  test('is named, kept, and the previous version is in use read-only', async () => {
    await twoCommits();
    await truncate(path, 40);
    const store = await openState(host, settings());
    expect(store.problem?.error.message).toContain(`${directory}/state.json`);
    expect(store.problem?.previous?.reason).toBe('set old');
    expect(store.current.name).toBe('old');
    await expect(store.commit('change', (state) => state)).rejects.toThrow(StateRefusedError);
    expect((await readFile(path)).length).toBe(40);
  });

  test('is replaced by the previous version when that is asked for, and kept aside', async () => {
    await twoCommits();
    await truncate(path, 40);
    const store = await openState(host, settings());
    const kept = await store.recover('previous');
    expect(store.problem).toBeUndefined();
    expect((await readFile(join(root, kept))).length).toBe(40);
    const reopened = await openState(host, settings());
    expect(reopened.problem).toBeUndefined();
    expect(reopened.current.name).toBe('old');
    expect((await reopened.history()).map(({ reason }) => reason)).toContain('set old');
    await reopened.commit('go on', (state) => ({ ...state, name: 'newer' }));
    expect((await openState(host, settings())).current.name).toBe('newer');
  });

  test('is replaced by the initial state when that is asked for', async () => {
    await twoCommits();
    await writeFile(path, '');
    const store = await openState(host, settings());
    await store.recover('initial');
    expect(store.current.name).toBe('initial');
    expect((await openState(host, settings())).current.name).toBe('initial');
  });

  test('stays when the recovery does not reach the disk', async () => {
    await twoCommits();
    await truncate(path, 40);
    const store = await openState(host, settings());
    files.writeAtomic = () => Promise.reject(Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' }));
    await expect(store.recover('previous')).rejects.toThrow(StateWriteError);
    expect(store.problem).toBeDefined();
    expect((await readFile(path)).length).toBe(40);
  });

  test('has no previous version to offer when there is none', async () => {
    const store = await openState(host, settings());
    await store.commit('only', (state) => state);
    await truncate(path, 10);
    const reopened = await openState(host, settings());
    expect(reopened.problem?.previous).toBeUndefined();
    await expect(reopened.recover('previous')).rejects.toThrow('no previous version');
  });

  test('gives way to a whole state from a backup', async () => {
    await twoCommits();
    await truncate(path, 40);
    const store = await openState(host, settings());
    await store.replace('restore', { name: 'restored', size: 1n, labels: {} });
    expect(store.problem).toBeUndefined();
    expect((await openState(host, settings())).current.name).toBe('restored');
    expect(await host.files.list(`${directory}/refused`)).toHaveLength(1);
  });

  test('is refused when a newer release wrote it', async () => {
    const newer = await openState(
      host,
      settings({ version: 3, migrations: { 1: (data) => data, 2: (data) => data } }),
    );
    await newer.commit('from the future', (state) => state);
    const store = await openState(host, settings({ version: 2, migrations: { 1: (data) => data } }));
    expect(store.problem?.error.reason).toBe('newer-version');
    expect(store.problem?.error.message).toContain('has version 3, but this release knows versions up to 2');
  });

  test('is refused when it is whole but no state, or no longer readable', async () => {
    await twoCommits();
    await rm(path);
    await host.files.makeDirectory(`${directory}/state.json`);
    expect((await openState(host, settings())).problem?.error.reason).toBe('unreadable');
  });
});

describe('migrations', () => {
  test('turn an old version into the newest one step at a time, and only a commit writes it', async () => {
    await (await openState(host, settings())).commit('old', (state) => ({ ...state, name: 'v1' }));
    const append = (suffix: string) => (data: unknown) => ({
      ...(data as Settings),
      name: `${(data as Settings).name}${suffix}`,
    });
    const definition = settings({ version: 3, migrations: { 1: append('→2'), 2: append('→3') } });
    const before = await readFile(path, 'utf8');
    const store = await openState(host, definition);
    expect(store.current.name).toBe('v1→2→3');
    expect(await readFile(path, 'utf8')).toBe(before);
    await store.commit('new', (state) => state);
    expect((await openState(host, definition)).current.name).toBe('v1→2→3');
  });

  test('that fail or are missing refuse the file and say why', async () => {
    await (await openState(host, settings())).commit('old', (state) => state);
    const missing = await openState(host, settings({ version: 2 }));
    expect(missing.problem?.error.message).toContain('there is no migration from version 1');
    const failing = await openState(
      host,
      settings({
        version: 2,
        migrations: {
          1: () => {
            throw new Error('what is this');
          },
        },
      }),
    );
    expect(failing.problem?.error.message).toContain('what is this');
  });
});

describe('a full disk', () => {
  test('fails a commit with its cause and leaves the old state, until there is space again', async () => {
    const machine = new EmulatedMachine(join(root, 'machine'));
    machine.create();
    const store = await openState(openEmulatedHost(machine), settings());
    await store.commit('before', (state) => ({ ...state, name: 'before' }));
    await machine.change((edited) => {
      edited.faults.full_directories = [directory];
    });
    const failed = store.commit('during', (state) => ({ ...state, name: 'during' }));
    await expect(failed).rejects.toMatchObject({
      code: 'ENOSPC',
      message: expect.stringContaining('no space is left') as string,
    });
    expect(store.current.name).toBe('before');
    expect((await openState(openEmulatedHost(machine), settings())).current.name).toBe('before');
    await machine.change((edited) => {
      edited.faults.full_directories = [];
    });
    await store.commit('after', (state) => ({ ...state, name: 'after' }));
    expect((await openState(openEmulatedHost(machine), settings())).current.name).toBe('after');
  });

  test.skipIf(process.getuid?.() !== 0)(
    'of a real file system, at any point of filling up, leaves the last state that was saved',
    async ({ skip }) => {
      const place = join(root, 'small');
      await host.files.makeDirectory('/small');
      const mounted = await host.programs.run(['mount', '-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', place], {
        acceptExitCodes: 'any',
      });
      if (mounted.exitCode !== 0) skip('this machine does not let a test mount a file system');
      try {
        const small: Host = { files: new LocalFiles(place), programs: host.programs };
        const store = await openState(small, settings({ keep: 1000 }));
        let saved = 'initial';
        const failures: unknown[] = [];
        for (let round = 0; round < 200; round += 1) {
          const name = `${round}-${'x'.repeat(round * 37)}`;
          await store
            .commit('grow', (state) => ({ ...state, name }))
            .then(
              () => (saved = name),
              (error: unknown) => failures.push(error),
            );
          if (failures.length > 0) expect((await openState(small, settings())).current.name).toBe(saved);
          if (failures.length === 5) break;
        }
        expect(failures).toHaveLength(5);
        expect(failures.every((error) => error instanceof StateWriteError && error.code === 'ENOSPC')).toBe(
          true,
        );
      } finally {
        await host.programs.run(['umount', place]);
      }
    },
  );
});
