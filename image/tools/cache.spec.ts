import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { cached, cacheDirectory, prune } from './cache.ts';

let base = '';
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'cache-'));
  vi.stubEnv('XDG_CACHE_HOME', base);
});
afterEach(() => {
  vi.unstubAllEnvs();
  rmSync(base, { recursive: true });
});

async function fill(partial: string): Promise<void> {
  mkdirSync(partial);
  writeFileSync(join(partial, 'content'), 'whole');
}

function entry(name: string, daysAgo: number): void {
  const path = join(cacheDirectory(), name);
  mkdirSync(path, { recursive: true });
  const time = new Date(Date.now() - daysAgo * 24 * 60 * 60 * 1_000);
  utimesSync(path, time, time);
}

describe('the cache', () => {
  it('makes an entry once', async () => {
    const make = vi.fn(fill);
    const first = await cached('tools-1', make);
    expect(await cached('tools-1', make)).toBe(first);
    expect(make).toHaveBeenCalledTimes(1);
    expect(existsSync(join(first, 'content'))).toBe(true);
  });

  it('has no entry of a run that failed, and makes it anew', async () => {
    const failing = cached('tools-1', async (partial) => {
      await fill(partial);
      throw new Error('no space');
    });
    await expect(failing).rejects.toThrow('no space');
    expect(readdirSync(cacheDirectory())).toEqual([]);
    await cached('tools-1', fill);
    expect(readdirSync(cacheDirectory())).toEqual(['tools-1']);
  });

  it('removes what a killed process left, and leaves what a living one makes', async () => {
    const dead = 2 ** 22 + 1;
    for (const pid of [dead, process.ppid])
      for (const suffix of ['', '.root', '-aB3'])
        mkdirSync(join(cacheDirectory(), `zfs-1.${pid}.partial${suffix}`), { recursive: true });
    await cached('tools-1', fill);
    expect(readdirSync(cacheDirectory()).toSorted()).toEqual([
      'tools-1',
      `zfs-1.${process.ppid}.partial`,
      `zfs-1.${process.ppid}.partial-aB3`,
      `zfs-1.${process.ppid}.partial.root`,
    ]);
  });

  it('lets the first of two that make the same win', async () => {
    let release = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (release = resolve));
    const slow = cached('tools-1', async (partial) => {
      await waiting;
      await fill(partial);
    });
    mkdirSync(join(cacheDirectory(), 'tools-1'));
    release();
    expect(readdirSync(await slow)).toEqual([]);
    expect(readdirSync(cacheDirectory())).toEqual(['tools-1']);
  });

  it('keeps the three entries of a kind that were used last, none beyond a month, and all of the last day', () => {
    const key = (digit: number): string => String(digit).repeat(16);
    for (const [digit, days] of [2, 3, 4, 5, 40].entries()) entry(`tools-${key(digit)}`, days);
    for (const [digit, days] of [0, 0.1, 0.2, 0.3, 31].entries()) entry(`zfs-${key(digit)}`, days);
    entry('mkosi-amd64', 90);
    expect(prune(['tools', 'zfs', 'mkosi'])).toEqual([`tools-${key(3)}`, `tools-${key(4)}`, `zfs-${key(4)}`]);
    expect(readdirSync(cacheDirectory()).toSorted()).toEqual([
      'mkosi-amd64',
      ...[0, 1, 2].map((digit) => `tools-${key(digit)}`),
      ...[0, 1, 2, 3].map((digit) => `zfs-${key(digit)}`),
    ]);
  });

  it('counts the use of an entry, not its making', async () => {
    entry('tools-1', 100);
    await cached('tools-1', fill);
    entry('tools-2', 50);
    expect(prune(['tools'])).toEqual([]);
  });
});
