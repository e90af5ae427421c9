import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, describe, expect, it } from 'vitest';
import { step } from './programs.ts';
import { Interrupted } from './sentence.ts';

const directory = mkdtempSync(join(tmpdir(), 'programs-'));
const log = join(directory, 'log');
afterAll(() => rmSync(directory, { recursive: true }));

async function until(done: () => boolean): Promise<void> {
  const end = Date.now() + 30_000;
  while (!done()) {
    if (Date.now() > end) throw new Error('it never came true');
    await sleep(20);
  }
}

describe('a step of the build', () => {
  it('keeps the output of its program in a log and tells its lines', async () => {
    const lines: string[] = [];
    await step(['sh', '-c', 'printf "one\\ntwo\\nh\\303"; sleep 0.2; printf "\\244lf\\n"; echo three >&2'], {
      log,
      onLine: (line) => void lines.push(line),
    });
    expect(lines.toSorted()).toEqual(['hälf', 'one', 'three', 'two']);
    expect(readFileSync(log, 'utf8')).toContain('one\ntwo\nhälf\n');
  });

  it('fails with the end of the log, and where it is', async () => {
    const failing = step(['sh', '-c', 'seq 1 100; echo no space left >&2; exit 3'], { log });
    await expect(failing).rejects.toThrow(
      /^77\n[^]*100\nno space left\nsh failed \(exit code 3\); the whole log is \/.*log$/u,
    );
  });

  it('says which program is missing', async () => {
    await expect(step(['no-such-program'], { log })).rejects.toThrow(/no-such-program/u);
  });

  it('ends its program and itself when it is interrupted', async () => {
    const running = step(['sh', '-c', 'echo begun; sleep 600; echo end'], { log });
    const failed = expect(running).rejects.toThrow(Interrupted);
    await until(() => readFileSync(log, 'utf8') === 'begun\n');
    process.emit('SIGTERM');
    await failed;
    expect(process.listenerCount('SIGTERM')).toBe(0);
  });

  it('takes its program along when it is killed', async () => {
    const pid = join(directory, 'pid');
    const script = join(directory, 'script.mts');
    const programs = JSON.stringify(join(import.meta.dirname, 'programs.ts'));
    const argv = JSON.stringify(['sh', '-c', `echo $$ >${pid}; exec sleep 600`]);
    writeFileSync(
      script,
      `const { step } = await import(${programs});\nawait step(${argv}, { log: ${JSON.stringify(log)} });\n`,
    );
    const parent = spawn(process.execPath, [script], { stdio: 'ignore' });
    await until(() => existsSync(pid) && readFileSync(pid, 'utf8').endsWith('\n'));
    const child = `/proc/${readFileSync(pid, 'utf8').trim()}`;
    expect(existsSync(child)).toBe(true);
    parent.kill('SIGKILL');
    await until(() => !existsSync(child));
  });
});
