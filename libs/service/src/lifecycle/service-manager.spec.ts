import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { announceReady } from './service-manager.ts';

describe('the service manager', () => {
  let directory: string;
  let told: string;
  let stop: () => void;
  const problems: string[] = [];

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'notify-'));
    told = join(directory, 'told');
    writeFileSync(
      join(directory, 'systemd-notify'),
      `#!/bin/sh\necho "$@" >>${told}\n[ ! -e ${directory}/deaf ]\n`,
    );
    chmodSync(join(directory, 'systemd-notify'), 0o755);
    vi.stubEnv('PATH', `${directory}:${process.env['PATH'] ?? ''}`);
    problems.length = 0;
  });

  afterEach(() => {
    stop();
    vi.unstubAllEnvs();
    rmSync(directory, { recursive: true });
  });

  const lines = (): string[] => (existsSync(told) ? readFileSync(told, 'utf8').trim().split('\n') : []);
  const announce = (): void => {
    stop = announceReady((message) => problems.push(message), 100);
  };

  it('is told that the process is ready, and again and again that it is alive', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '/run/systemd/notify');
    vi.stubEnv('WATCHDOG_USEC', '1000000');
    announce();
    await vi.waitFor(
      () => expect(lines().filter((line) => line === 'WATCHDOG=1').length).toBeGreaterThan(1),
      {
        timeout: 20_000,
      },
    );
    expect(lines().filter((line) => line === 'READY=1')).toHaveLength(1);
    expect(problems).toEqual([]);
  });

  it('is not spoken to when there is none', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '');
    announce();
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(lines()).toEqual([]);
  });

  it('that did not listen is told again, until it does', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '/run/systemd/notify');
    vi.stubEnv('WATCHDOG_USEC', '1000000');
    writeFileSync(join(directory, 'deaf'), '');
    announce();
    const count = (state: string): number => lines().filter((line) => line === state).length;
    await vi.waitFor(() => expect(count('READY=1')).toBeGreaterThan(2), { timeout: 20_000 });
    expect(count('WATCHDOG=1')).toBe(0);
    rmSync(join(directory, 'deaf'));
    await vi.waitFor(() => expect(count('WATCHDOG=1')).toBeGreaterThan(1), { timeout: 20_000 });
    const ready = count('READY=1');
    await vi.waitFor(() => expect(count('WATCHDOG=1')).toBeGreaterThan(3), { timeout: 20_000 });
    expect(count('READY=1')).toBe(ready);
    expect(problems).toEqual(['systemd-notify READY=1 ended with exit code 1']);
  });

  it('that does not listen is reported, and ends nothing', async () => {
    vi.stubEnv('NOTIFY_SOCKET', '/run/systemd/notify');
    vi.stubEnv('WATCHDOG_USEC', undefined);
    writeFileSync(join(directory, 'deaf'), '');
    announce();
    await vi.waitFor(() => expect(problems).toEqual(['systemd-notify READY=1 ended with exit code 1']), {
      timeout: 20_000,
    });
  });
});
