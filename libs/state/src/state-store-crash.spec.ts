/** What a crash leaves behind: a process is killed at any instant of its commits, again and again. */
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { once } from 'node:events';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { type Host, LocalFiles, LocalPrograms } from '@incusos/host';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openState } from './state-store.ts';
import { counterState } from './testing/counter-state.ts';

const committer = fileURLToPath(new URL('./testing/commit-forever.ts', import.meta.url));
let root: string;
let host: Host;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'state-'));
  host = { files: new LocalFiles(root), programs: new LocalPrograms() };
});

afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

test(
  'a process killed at any instant of a commit leaves the state from before or after it',
  { timeout: 180_000 },
  async () => {
    let reported = 0;
    for (let round = 0; round < 12; round += 1) {
      const child = host.programs.stream([
        process.execPath,
        '--experimental-transform-types',
        '--no-warnings',
        committer,
        root,
      ]);
      let output = '';
      child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
      await once(child.stdout, 'data');
      await sleep(Math.random() * 60);
      child.stop();
      await child.finished.catch(() => undefined);
      const through = Number(output.split('\n').at(-2));
      expect(through).toBeGreaterThan(reported);
      const store = await openState(host, counterState);
      expect(store.problem).toBeUndefined();
      // Nothing that was told is lost. Lines of later commits may have been on their way when the kill came.
      expect(store.current.count).toBeGreaterThanOrEqual(through);
      expect(store.current.padding).toBe('x'.repeat(store.current.count % 5000));
      expect(store.revision).toBe(store.current.count);
      reported = store.current.count;
    }
  },
);

test('what a killed commit left unfinished is removed at the next start', async () => {
  const directory = join(root, counterState.directory);
  const store = await openState(host, counterState);
  await store.commit('one', () => ({ count: 1, padding: 'x' }));
  await host.files.writeAtomic(`${counterState.directory}/.0123456789ab.tmp`, 'half of a st');
  await openState(host, counterState);
  expect((await readdir(directory)).filter((name) => name.endsWith('.tmp'))).toEqual([]);
});
