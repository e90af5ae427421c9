import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { allowedDifferences, type AllowedDifference } from './allowed-differences.ts';
import { recording, recordingNames } from './recording.ts';
import { replay } from './replay.ts';
import type { Form } from './shape.ts';

/** How the answers of programs that don't print JSON are compared; line by line unless they are here. */
const forms: readonly (readonly [RegExp, Form])[] = [
  [/^(?:udevadm monitor|ip monitor|zpool events)/u, 'kinds of lines'],
  [/^journalctl --output=json/u, 'JSON lines'],
  [/^ps /u, 'table'],
  [/^(?:timedatectl show$|\/proc\/meminfo|\/proc\/cpuinfo)/u, 'keys'],
  [/^\/lib64\//u, 'kinds of lines'],
  [/^\/(?:proc|sys)\//u, 'kinds of lines'],
];

describe('the emulated programs answer as the real ones did in', () => {
  let directory: string;
  const used = new Set<AllowedDifference>();

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'samples-'));
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() });
  });
  afterEach(async () => {
    vi.useRealTimers();
    await rm(directory, { recursive: true, force: true, maxRetries: 5 });
  });
  afterAll(() => {
    const unused = allowedDifferences.filter((allowed) => !used.has(allowed));
    expect(
      unused.map(({ about, difference }) => `${about.source}: ${difference.source}`),
      'differences that are allowed and not there any more',
    ).toEqual([]);
  });

  it.each(recordingNames())('%s', { timeout: 60_000 }, async (name) => {
    const differences = await replay(recording(name), {
      directory,
      pass: (seconds) => vi.setSystemTime(Date.now() + seconds * 1_000),
      formOf: (about) => forms.find(([pattern]) => pattern.test(about))?.[1] ?? 'lines',
    });
    const left = differences.filter(({ about, text }) => {
      const allowed = allowedDifferences.filter(
        (each) => (each.recording ?? name) === name && each.about.test(about) && each.difference.test(text),
      );
      for (const each of allowed) used.add(each);
      return allowed.length === 0;
    });
    expect(left.map(({ about, text }) => `${about}: ${text}`)).toEqual([]);
  });
});
