import { afterEach, describe, expect, it, vi } from 'vitest';
import { ExclusiveRunner } from './exclusive-runner.ts';
import { socketPath } from './sockets.ts';

describe('ExclusiveRunner', () => {
  it('runs one operation at a time, in the order asked for, whatever the one before ended with', async () => {
    const runner = new ExclusiveRunner();
    const events: string[] = [];
    const operation =
      (name: string, fails = false) =>
      async (): Promise<void> => {
        events.push(`${name} begins`);
        await new Promise((resolve) => setTimeout(resolve, 5));
        events.push(`${name} ends`);
        if (fails) throw new Error(name);
      };
    const results = await Promise.allSettled([
      runner.run(operation('a')),
      runner.run(operation('b', true)),
      runner.run(operation('c')),
    ]);
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(events).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
    expect(runner.busy).toBe(false);
  });

  it('never starts an operation whose caller gave up before its turn', async () => {
    const runner = new ExclusiveRunner();
    const caller = new AbortController();
    let started = false;
    const first = runner.run(() => new Promise((resolve) => setTimeout(resolve, 10)));
    const second = runner.run(async () => {
      started = true;
    }, caller.signal);
    caller.abort();
    await first;
    await expect(second).rejects.toMatchObject({ reason: 'CANCELLED' });
    expect(started).toBe(false);
  });
});

describe('socketPath', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('refuses a path that the kernel would cut', () => {
    vi.stubEnv('INCUSOS_RUN_DIR', `/tmp/${'long'.repeat(30)}`);
    expect(() => socketPath('network')).toThrow('longer than 107 bytes');
  });
});
