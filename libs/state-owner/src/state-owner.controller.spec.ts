import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type StageImportRequest, StageImportRequest as Request } from '@incusos/contracts/state';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { EmulatedMachine, openEmulatedHost } from '@incusos/host-emulated';
import { createLogger, DomainError } from '@incusos/service';
import { openState, type StateDefinition, type StateStore } from '@incusos/state';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { StateOwnerController } from './state-owner.controller.ts';
import type { StateOwnerHooks } from './state-owner-options.ts';
import { CrashingFiles } from './testing/crashing-files.ts';

interface Settings {
  readonly name: string;
}

const directory = '/var/lib/incus-os/storage';
const definition: StateDefinition<Settings> = {
  directory,
  version: 2,
  initial: () => ({ name: 'initial' }),
  migrations: { 1: (data) => data },
  validate: (data) => {
    if (typeof data !== 'object' || data === null || !('name' in data) || typeof data.name !== 'string') {
      throw new Error('it has no name');
    }
    return { name: data.name };
  },
};

interface Owner {
  readonly controller: StateOwnerController;
  readonly store: StateStore<Settings>;
}

let root: string;
let host: Host;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'owner-'));
  host = { files: new LocalFiles(root), programs: new LocalPrograms() };
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

/** A service as it is after a start on `machine`. */
async function start(machine: Host = host, hooks: StateOwnerHooks<Settings> = {}): Promise<Owner> {
  const store = await openState(machine, definition);
  const logger = createLogger('storage');
  logger.silent = true;
  const settings = {
    service: 'storage',
    store,
    secrets: [
      { name: 'zpool.local.key', keptBy: 'local-data-encryption-key' },
      { name: /^zpool\..+\.key$/u },
    ],
    hooks,
  };
  const controller = new StateOwnerController(machine, settings, logger);
  await controller.onModuleInit();
  return { controller, store };
}

async function exported({ controller }: Owner): Promise<Map<string, Buffer>> {
  const files = new Map<string, Buffer[]>();
  for await (const { file } of controller.exportState()) {
    if (file === undefined) throw new Error('a message has no file');
    expect(file.content.length).toBeLessThanOrEqual(64 * 1024);
    files.set(file.name, [...(files.get(file.name) ?? []), file.content]);
  }
  return new Map([...files].map(([name, chunks]) => [name, Buffer.concat(chunks)]));
}

async function* messages(
  restore_id: string,
  files: Iterable<readonly [string, Buffer | string]>,
  { skip = [], schema_version = 2 }: { skip?: string[]; schema_version?: number } = {},
): AsyncGenerator<StageImportRequest> {
  yield Request.create({ restore_id, skip, schema_version });
  for (const [name, content] of files) {
    const bytes = Buffer.from(content);
    const half = Math.floor(bytes.length / 2);
    yield Request.create({ file: { name, content: bytes.subarray(0, half) } });
    yield Request.create({ file: { name, content: bytes.subarray(half), last: true } });
  }
}

async function failure(call: Promise<unknown>): Promise<DomainError> {
  const error: unknown = await call.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (error instanceof DomainError) return error;
  throw new Error(`expected a DomainError, got ${String(error)}`);
}

/** What the machine's owner would notice: the configuration and the keys. */
async function inUse(): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for (const name of await readdir(join(root, directory))) {
    if (name === 'state.json') found[name] = (await openState(host, definition)).current.name;
    if (name.endsWith('.key')) found[name] = await readFile(join(root, directory, name), 'utf8');
  }
  return found;
}

async function withKeys(owner: Owner, name: string): Promise<void> {
  await owner.store.commit('test', () => ({ name }));
  for (const pool of ['local', 'tank']) {
    await host.files.writeAtomic(`${directory}/zpool.${pool}.key`, `${pool} ${name}`, { mode: 0o600 });
  }
}

describe('an export', () => {
  test('holds the state and its keys, in chunks, and nothing else', async () => {
    const owner = await start();
    await withKeys(owner, 'x'.repeat(200_000));
    await owner.store.commit('again', (state) => state);
    await writeFile(join(root, directory, 'notes.txt'), 'not ours');
    const files = await exported(owner);
    expect([...files.keys()].toSorted()).toEqual(['state.json', 'zpool.local.key', 'zpool.tank.key']);
    expect(owner.store.parseExport(files.get('state.json')?.toString() ?? '', 'x').name).toHaveLength(
      200_000,
    );
  });

  test('is refused while the state file is, and the description says why', async () => {
    const owner = await start();
    await owner.store.commit('one', () => ({ name: 'one' }));
    await writeFile(join(root, directory, 'state.json'), 'rubbish');
    const broken = await start();
    expect((await failure(exported(broken))).reason).toBe('UNAVAILABLE');
    expect(broken.controller.describeState().problem?.error).toContain('cut short');
    expect(owner.controller.describeState()).toEqual({
      service: 'storage',
      schema_version: 2,
      problem: undefined,
    });
  });
});

describe('an import', () => {
  async function backup(): Promise<Map<string, Buffer>> {
    const owner = await start();
    await withKeys(owner, 'old');
    const files = await exported(owner);
    await withKeys(owner, 'new');
    return files;
  }

  test('brings back state and keys, takes effect, and leaves keys that the backup lacks', async () => {
    const files = await backup();
    const apply = vi.fn();
    const owner = await start(host, { apply });
    await host.files.writeAtomic(`${directory}/zpool.later.key`, 'later', { mode: 0o600 });
    await owner.controller.stageImport(messages('r1', files));
    expect(owner.store.current.name).toBe('new');
    expect(apply).not.toHaveBeenCalled();
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect(await inUse()).toEqual({
      'state.json': 'old',
      'zpool.local.key': 'local old',
      'zpool.tank.key': 'tank old',
      'zpool.later.key': 'later',
    });
    expect(apply.mock.calls).toEqual([[{ name: 'new' }, { name: 'old' }]]);
    expect((await stat(join(root, directory, 'zpool.tank.key'))).mode & 0o777).toBe(0o600);
    expect((await readdir(join(root, directory))).filter((name) => name.includes('import-'))).toEqual([]);
  });

  test('leaves what the caller wants left, and lets the service alter the rest', async () => {
    const files = await backup();
    const owner = await start(host, {
      transform: (data, { skip, current }) => ({
        name: `${data.name} over ${current.name}, ${[...skip].join()}`,
      }),
    });
    const skip = ['local-data-encryption-key', 'unheard-of'];
    await owner.controller.stageImport(messages('r1', files, { skip }));
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect(await inUse()).toEqual({
      'state.json': 'old over new, local-data-encryption-key,unheard-of',
      'zpool.local.key': 'local new',
      'zpool.tank.key': 'tank old',
    });
  });

  test('survives a restart between its two halves', async () => {
    const files = await backup();
    await (await start()).controller.stageImport(messages('r1', files));
    const restarted = await start();
    expect(restarted.store.current.name).toBe('new');
    await restarted.controller.commitImport({ restore_id: 'r1' });
    expect(restarted.store.current.name).toBe('old');
  });

  test('can be committed again without undoing what was changed since', async () => {
    const files = await backup();
    const owner = await start();
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.commitImport({ restore_id: 'r1' });
    await owner.store.commit('since', () => ({ name: 'since' }));
    await owner.controller.commitImport({ restore_id: 'r1' });
    await (await start()).controller.commitImport({ restore_id: 'r1' });
    expect((await start()).store.current.name).toBe('since');
  });

  test('is gone after it was aborted, as often as that is asked for', async () => {
    const files = await backup();
    const owner = await start();
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.abortImport({ restore_id: 'r1' });
    await owner.controller.abortImport({ restore_id: 'r1' });
    expect((await failure(owner.controller.commitImport({ restore_id: 'r1' }))).reason).toBe('NOT_FOUND');
    expect((await inUse())['state.json']).toBe('new');
  });

  test('that was never decided about gives way to the next one', async () => {
    const files = await backup();
    const owner = await start();
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.stageImport(messages('r2', files));
    expect((await failure(owner.controller.commitImport({ restore_id: 'r1' }))).reason).toBe('NOT_FOUND');
    await owner.controller.commitImport({ restore_id: 'r2' });
    expect((await inUse())['state.json']).toBe('old');
  });

  test('can no longer be aborted or staged anew once it is in place', async () => {
    const files = await backup();
    const owner = await start();
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect((await failure(owner.controller.abortImport({ restore_id: 'r1' }))).reason).toBe(
      'PRECONDITION_FAILED',
    );
    expect((await failure(owner.controller.stageImport(messages('r1', files)))).reason).toBe(
      'PRECONDITION_FAILED',
    );
  });

  test('over a refused state file ends the refusal', async () => {
    const files = await backup();
    await writeFile(join(root, directory, 'state.json'), 'rubbish');
    const owner = await start();
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect(owner.store.problem).toBeUndefined();
    expect((await inUse())['state.json']).toBe('old');
  });

  test('is saved even when it cannot take effect before the next start', async () => {
    const files = await backup();
    const owner = await start(host, { apply: () => Promise.reject(new Error('no carrier')) });
    await owner.controller.stageImport(messages('r1', files));
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect((await inUse())['state.json']).toBe('old');
  });

  test('that is wrong in any way is refused with the reason and changes nothing', async () => {
    const files = await backup();
    const state = files.get('state.json') ?? Buffer.alloc(0);
    const text = state.toString('utf8');
    const check = vi.fn();
    const owner = await start(host, {
      transform: (data) => {
        check();
        if (data.name === 'old') throw new DomainError('INVALID_REQUEST', 'the TPM says no');
        return data;
      },
    });
    const before = await inUse();
    const cases: [AsyncIterable<StageImportRequest>, RegExp][] = [
      [messages('r1', files), /the TPM says no/u],
      [messages('r1', []), /has no file 'storage\/state.json'/u],
      [messages('../r1', files), /restore id/u],
      [messages('r1', [['../../etc/passwd', 'x']]), /is not the name of a file/u],
      [messages('r1', [['.hidden', 'x']]), /is not the name of a file/u],
      [messages('r1', [...files, ['state.json', text]]), /is there twice/u],
      [messages('r1', [...files, ['extra.key', 'x']]), /'storage\/extra.key' is not a file/u],
      [messages('r1', [['state.json', text.slice(0, -20)]]), /storage\/state.json is cut short/u],
      [messages('r1', [['state.json', text.replace('old', 'odd')]]), /was altered/u],
      [messages('r1', files, { schema_version: 3 }), /version 3 of the storage state/u],
    ];
    for (const [request, message] of cases) {
      const error = await failure(owner.controller.stageImport(request));
      expect(error.message).toMatch(message);
      expect(error.reason).toBe('INVALID_REQUEST');
    }
    expect(check).toHaveBeenCalledOnce();
    expect(await inUse()).toEqual(before);
    expect((await readdir(join(root, directory))).filter((name) => name.includes('import-'))).toEqual([]);
  });

  test('whose sender breaks off in the middle of a file is refused', async () => {
    const owner = await start();
    const broken = async function* (): AsyncGenerator<StageImportRequest> {
      yield Request.create({ restore_id: 'r1', file: { name: 'state.json', content: Buffer.from('{') } });
    };
    expect((await failure(owner.controller.stageImport(broken()))).message).toBe(
      "file 'state.json' is cut short",
    );
  });

  test('for which there is no space says so, changes nothing and leaves nothing', async () => {
    const files = await backup();
    const machine = new EmulatedMachine(join(root, 'machine'));
    machine.create();
    const owner = await start(openEmulatedHost(machine));
    await owner.store.commit('before', () => ({ name: 'before' }));
    const fill = async (full_directories: string[]): Promise<void> =>
      machine.change((edited) => {
        edited.faults.full_directories = full_directories;
      });
    await fill([directory]);
    expect((await failure(owner.controller.stageImport(messages('r1', files)))).reason).toBe('NO_SPACE');
    expect(await readdir(join(machine.directory, 'root', directory))).toEqual(['state.json']);
    await fill([]);
    await owner.controller.stageImport(messages('r1', files));
    await fill([directory]);
    expect((await failure(owner.controller.commitImport({ restore_id: 'r1' }))).reason).toBe('NO_SPACE');
    expect(owner.store.current.name).toBe('before');
    await fill([]);
    await owner.controller.commitImport({ restore_id: 'r1' });
    expect(owner.store.current.name).toBe('old');
  });
});

describe('a power cut before any one change to the files', () => {
  /** Sets up a machine with state `new` and a backup of `old`; then `work` is cut off before its n-th change. */
  async function cutAt(
    crashAt: number,
    work: (owner: Owner, files: Map<string, Buffer>) => Promise<unknown>,
  ): Promise<boolean> {
    root = await mkdtemp(join(tmpdir(), 'owner-'));
    host = { files: new LocalFiles(root), programs: new LocalPrograms() };
    const owner = await start();
    await withKeys(owner, 'old');
    const files = await exported(owner);
    await withKeys(owner, 'new');
    const counting = new CrashingFiles(root);
    await start({ ...host, files: counting });
    const cut = await start({ ...host, files: new CrashingFiles(root, counting.changes + crashAt) });
    return work(cut, files).then(
      () => true,
      () => false,
    );
  }

  test('while an import is staged leaves the machine as it was, and the import can be staged again', async () => {
    for (let crashAt = 1; ; crashAt += 1) {
      const whole = await cutAt(crashAt, async ({ controller }, files) =>
        controller.stageImport(messages('r1', files)),
      );
      const owner = await start();
      expect(owner.store.current.name, `cut before change ${crashAt}`).toBe('new');
      const files = new Map<string, Buffer>([
        ['state.json', Buffer.from(owner.store.exportText({ name: 'old' }))],
      ]);
      await owner.controller.stageImport(messages('r1', files));
      await owner.controller.commitImport({ restore_id: 'r1' });
      expect(owner.store.current.name).toBe('old');
      await rm(root, { recursive: true });
      if (whole) return;
    }
  });

  test('while an import is put in place is made good by the next start or the next try', async () => {
    for (let crashAt = 1; ; crashAt += 1) {
      const whole = await cutAt(crashAt, async ({ controller }, files) => {
        await controller.stageImport(messages('r1', files));
        await controller.commitImport({ restore_id: 'r1' });
      });
      const owner = await start();
      const staged = (await readdir(join(root, directory))).some((name) => name.startsWith('import-'));
      const before = await inUse();
      expect(
        new Set(Object.values(before).map((text) => text.split(' ').at(-1))).size,
        `cut before change ${crashAt}`,
      ).toBe(1);
      if (staged || before['state.json'] === 'old') {
        await owner.controller.commitImport({ restore_id: 'r1' });
        expect(await inUse()).toEqual({
          'state.json': 'old',
          'zpool.local.key': 'local old',
          'zpool.tank.key': 'tank old',
        });
      }
      await rm(root, { recursive: true });
      if (whole) return;
    }
  });
});

describe('a reset', () => {
  test('returns to the initial state, without the keys', async () => {
    const apply = vi.fn();
    const owner = await start(host, { apply });
    await withKeys(owner, 'new');
    await owner.controller.resetState();
    expect(await inUse()).toEqual({ 'state.json': 'initial' });
    expect(apply.mock.calls).toEqual([[{ name: 'new' }, { name: 'initial' }]]);
  });
});

describe('a recovery', () => {
  test('ends the refusal of a state file as it was asked to', async () => {
    const owner = await start();
    await owner.store.commit('one', () => ({ name: 'one' }));
    await owner.store.commit('two', () => ({ name: 'two' }));
    await writeFile(join(root, directory, 'state.json'), 'rubbish');
    const broken = await start();
    expect((await failure(broken.controller.recoverState({ use: 'latest' }))).fields[0]?.field).toBe('use');
    const { refused_file } = await broken.controller.recoverState({ use: 'previous' });
    expect(await readFile(join(root, refused_file), 'utf8')).toBe('rubbish');
    expect(await inUse()).toEqual({ 'state.json': 'one' });
    expect((await failure(broken.controller.recoverState({ use: 'initial' }))).reason).toBe(
      'PRECONDITION_FAILED',
    );
  });
});
