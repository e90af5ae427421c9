import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LocalPrograms } from './programs.ts';
import { WatchedProgram } from './watched-program.ts';

const patience = { timeout: 20_000, interval: 20 };

describe('a watched program', () => {
  let directory: string;
  let told: string[];
  let watched: WatchedProgram | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'watched-'));
    told = [];
  });
  afterEach(() => {
    watched?.stop();
    rmSync(directory, { recursive: true, force: true });
  });

  function watch(...argv: [string, ...string[]]): WatchedProgram {
    watched = new WatchedProgram(new LocalPrograms(), argv, {
      begun: () => told.push('begun'),
      line: (line) => told.push(line),
      lost: (why) => told.push(`lost: ${why}`),
    });
    watched.start();
    return watched;
  }

  it('tells each line that it prints', async () => {
    const program = watch('sh', '-c', 'printf "one\\ntw"; sleep 0.1; echo o; sleep 1000');
    await vi.waitFor(() => expect(told).toEqual(['begun', 'one', 'two']), patience);
    expect(program.alive).toBe(true);
  });

  it('is not relied on once it ended, and is started again', async () => {
    const marker = join(directory, 'second');
    const program = watch('sh', '-c', `if [ -e ${marker} ]; then echo back; sleep 1000; fi; exit 3`);
    await vi.waitFor(() => expect(told).toHaveLength(2), patience);
    expect(told).toEqual(['begun', 'lost: sh failed with exit code 3']);
    expect(program.alive).toBe(false);
    writeFileSync(marker, '');
    await vi.waitFor(() => expect(told.slice(-2)).toEqual(['begun', 'back']), patience);
    expect(program.alive).toBe(true);
  });

  it('that is missing is said to be, and looked for again', async () => {
    watch('no-such-program-here');
    await vi.waitFor(() => expect(told.filter((what) => what === 'begun')).toHaveLength(2), patience);
    expect(told[1]).toBe("lost: program no-such-program-here isn't installed");
  });

  it('tells nothing more once it was stopped', async () => {
    const program = watch('sh', '-c', 'while :; do echo line; done');
    await vi.waitFor(() => expect(told.length).toBeGreaterThan(1), patience);
    program.stop();
    const before = told.length;
    program.start();
    await new Promise((resolve) => setImmediate(resolve));
    expect(told).toHaveLength(before);
    expect(program.alive).toBe(false);
  });
});
