import { describe, expect, it } from 'vitest';
import { Processes } from './processes.ts';

function keep(): { processes: Processes; lines: string[]; restarts: string[] } {
  const lines: string[] = [];
  const restarts: string[] = [];
  const processes = new Processes({
    line: (name, _pid, line) => lines.push(`${name}: ${line}`),
    restarted: (name, why) => restarts.push(`${name} ${why}`),
  });
  return { processes, lines, restarts };
}

const env = { PATH: process.env['PATH'] };

function alive(pid: number | undefined): boolean {
  try {
    process.kill(pid ?? 0, 0);
    return pid !== undefined;
  } catch {
    return false;
  }
}

describe('supervised processes', () => {
  it('are heard line by line and started again when they end', async () => {
    const { processes, lines, restarts } = keep();
    processes.start([{ name: 'a', argv: ['sh', '-c', 'echo begun; sleep 0.05; exit 3'], env, ours: false }]);
    await expect.poll(() => restarts.length, { timeout: 20_000 }).toBeGreaterThanOrEqual(2);
    await processes.stop();
    expect(restarts[0]).toBe('a ended with code 3');
    expect(lines.filter((line) => line === 'a: begun').length).toBeGreaterThanOrEqual(2);
  });

  it('leave nothing behind when they are stopped, not even one that ignores being asked', async () => {
    const { processes, restarts, lines } = keep();
    const stubborn = ['sh', '-c', 'trap "" TERM; echo deaf; while :; do sleep 0.1; done'] as const;
    processes.start([
      { name: 'polite', argv: ['sleep', '1000'], env, ours: false },
      { name: 'stubborn', argv: [...stubborn], env, ours: false },
    ]);
    await expect.poll(() => lines, { timeout: 20_000 }).toContain('stubborn: deaf');
    const pids = [...processes.pids().values()];
    expect(pids.every(alive)).toBe(true);
    await processes.stop();
    expect(pids.some(alive)).toBe(false);
    expect(restarts).toEqual([]);
    expect(processes.running).toBe(false);
  });

  it('that can not be started at all are reported, and stop all the same', async () => {
    const { processes, restarts } = keep();
    processes.start([{ name: 'ghost', argv: ['/no/such/program'], env, ours: false }]);
    await expect.poll(() => restarts, { timeout: 20_000 }).toContain('ghost ended with code 127');
    await processes.stop();
  });
});
