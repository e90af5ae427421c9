import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { GuestAnswer, GuestRequest } from './in-guest.ts';
import type { Step } from './scene.ts';

/** Goes through steps in a process of its own, on this computer. */
function go(steps: readonly Step[], running: GuestRequest['running'] = {}): GuestAnswer {
  const { stdout, stderr } = spawnSync(process.execPath, [join(import.meta.dirname, 'in-guest.ts')], {
    input: JSON.stringify({ steps, running } satisfies GuestRequest),
    encoding: 'utf8',
    env: { ...process.env, RECORDING_SCRATCH: directory },
  });
  if (stdout === '') throw new Error(stderr);
  return JSON.parse(stdout) as GuestAnswer;
}

let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'in-guest-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

describe('the recorder in the guest', () => {
  it('tells what a program answers, failures too', () => {
    const { steps } = go([
      { run: ['sh', '-c', 'cat; echo no >&2; exit 3'], stdin: 'yes' },
      { read: '/proc/sys/kernel/ostype' },
      { read: '/nowhere' },
    ]);
    expect(steps).toMatchObject([
      { exit_code: 3, stdout: 'yes', stderr: 'no\n' },
      { text: 'Linux\n' },
      { error: 'ENOENT' },
    ]);
  });

  it('writes files that others can read', () => {
    const path = join(directory, 'some/file');
    go([{ write: path, text: Buffer.from('key').toString('base64'), base64: true }]);
    expect(readFileSync(path, 'utf8')).toBe('key');
  });

  it('keeps a program running from one part of a scene to the next', () => {
    const argv = ['sh', '-c', 'echo begun; sleep 60'] as const;
    const { running } = go([{ start: argv }, { pass: 0.3 }]);
    const { steps, running: left } = go([{ stop: argv }], running);
    expect(steps).toMatchObject([{ stdout: 'begun\n' }]);
    expect(left).toEqual({});
  });
});
