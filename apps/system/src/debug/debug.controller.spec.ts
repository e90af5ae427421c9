import { appendJournal } from '@incusos/host-emulated';
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { forEachTest } from '../testing/system-appliance.ts';

const the = forEachTest();

describe('debug', () => {
  beforeEach(() => {
    appendJournal(the.machine, 'systemd-networkd.service', 'enp5s0: Gained carrier');
    for (const message of ['first', 'second']) {
      appendJournal(
        the.machine,
        'incus-os-network.service',
        JSON.stringify({ MESSAGE: message, SYSLOG_IDENTIFIER: 'incus-osd' }),
      );
    }
  });

  it('gives the entries of all our services for the one name they are known by', async () => {
    const entries = await the.log({ unit: 'incus-osd.service', boot: '0', entries: '100' });
    expect(entries.map((entry) => [entry['SYSLOG_IDENTIFIER'], entry['MESSAGE']])).toEqual([
      ['incus-osd', 'first'],
      ['incus-osd', 'second'],
    ]);
  });

  it('selects by unit, number and time', async () => {
    expect(await the.log({ unit: 'systemd-networkd' })).toHaveLength(1);
    expect((await the.log({ entries: '1' })).map((entry) => entry['MESSAGE'])).toEqual(['second']);
    expect(await the.log({ since: '1 hour ago', until: '30 minutes ago' })).toEqual([]);
  });

  it('refuses queries that it does not understand, and takes no value for an option', async () => {
    const wrong: [query: Parameters<typeof the.log>[0], message: string][] = [
      [{ unit: 'a b' }, "unit 'a b' is not the name of a unit"],
      [{ boot: '--flush' }, "boot '--flush' is neither a boot number nor a boot id"],
      [{ boot: '-17' }, 'No journal boot entry found for the specified boot (-17).'],
      [{ entries: '-1' }, "entries '-1' is not a number of entries"],
      [{ since: '$(reboot)' }, "since '$(reboot)' is not a time"],
      [{ since: 'whenever' }, 'Failed to parse timestamp: whenever'],
    ];
    for (const [query, message] of wrong) {
      await expect(the.log(query), message).rejects.toMatchObject({ reason: 'INVALID_REQUEST', message });
    }
    expect(await the.log({ unit: '--flush' })).toEqual([]);
  });

  it('describes the kernel and its modules, and asks for the processor’s level once', async () => {
    const run = vi.spyOn(the.host.programs, 'run');
    const { kernel } = await the.debug.getKernel({});
    expect((await the.debug.getKernel({})).kernel).toEqual(kernel);
    expect(run).toHaveBeenCalledTimes(1);
    run.mockRestore();
    expect(kernel).toMatchObject({
      version: '6.12.57+deb13-amd64',
      architecture: 'x86_64',
      cpu_baseline: 'x86_64_v3',
    });
    expect(kernel?.modules).toContainEqual({ name: 'zfs', dependencies: ['spl'], in_use: true });
    expect(kernel?.modules).toContainEqual({ name: 'pcspkr', dependencies: [], in_use: false });
  });

  it('lists the processes', async () => {
    expect((await the.debug.getProcesses({})).processes).toMatch(/^USER +PID.*\n(?:.*\n)*root +1 .*systemd/u);
  });

  it('reports metrics by name', async () => {
    const { report } = await the.debug.getReport({ match: ['memory', 'system.load.1m'] });
    expect(report?.metrics.map(({ name }) => name)).toEqual([
      'system.load.1m',
      'memory.total_bytes',
      'memory.available_bytes',
      'memory.swap_total_bytes',
      'memory.swap_free_bytes',
    ]);
  });

  it('goes on with what is logged while someone follows the log', async () => {
    const reader = new AbortController();
    const followed: string[] = [];
    const following = (async () => {
      const query = { unit: 'incus-osd', entries: '1', follow: true };
      for await (const { entry } of the.debug.streamLog(query, { signal: reader.signal })) {
        followed.push((JSON.parse(entry) as { MESSAGE: string }).MESSAGE);
      }
    })();
    const entry = (MESSAGE: string): string =>
      JSON.stringify({ MESSAGE, SYSLOG_IDENTIFIER: 'incus-osd', INCUSOS_SERVICE: 'system' });
    await vi.waitFor(
      () => {
        appendJournal(the.machine, 'incus-os-the.system.service', entry('again'));
        expect(followed.length).toBeGreaterThan(1);
      },
      { timeout: 20_000, interval: 50 },
    );
    expect(new Set(followed)).toEqual(new Set(['again']));
    reader.abort();
    await expect(following).rejects.toMatchObject({ reason: 'CANCELLED' });
  });

  it('refuses an empty message and an unknown level', async () => {
    await expect(the.debug.writeMessage({ message: { level: 'INFO', message: '' } })).rejects.toThrow(
      'no log message provided',
    );
    await expect(the.debug.writeMessage({ message: { level: 'LOUD', message: 'x' } })).rejects.toMatchObject({
      reason: 'INVALID_REQUEST',
    });
    await the.debug.writeMessage({ message: { level: '4', message: 'x' } });
  });
});
