import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { EmulatedMachine, openEmulatedHost, switchOn } from '@incusos/host-emulated';
import type { Host, ProgramStream } from '@incusos/host';
import { createLogger } from '@incusos/service';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { eventually } from '../testing/network-appliance.ts';
import { NetworkSnapshot } from './snapshot.ts';

describe('the snapshot of the network', () => {
  let machine: EmulatedMachine;
  let real: Host;
  let runs: string[];
  let watchers: ProgramStream[];
  let snapshot: NetworkSnapshot;
  let watchable: boolean;

  beforeEach(async () => {
    machine = new EmulatedMachine(mkdtempSync(join(tmpdir(), 'snap-')));
    machine.create();
    await switchOn(machine);
    real = openEmulatedHost(machine);
    runs = [];
    watchers = [];
    watchable = true;
    const counted: Host = {
      files: real.files,
      programs: {
        run: async (argv, options) => {
          runs.push(argv.join(' '));
          return real.programs.run(argv, options);
        },
        stream: (argv, options) => {
          const stream = real.programs.stream(watchable ? argv : ['ip', 'monitor', 'nonsense'], options);
          watchers.push(stream);
          return stream;
        },
      },
    };
    snapshot = new NetworkSnapshot(counted, createLogger('network'));
    snapshot.start();
  });
  afterEach(() => {
    snapshot.stop();
    rmSync(machine.directory, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 });
  });

  /** Waits until nothing is read any more because of what happened before. */
  async function quiet(): Promise<void> {
    await snapshot.read(false);
    await eventually(async () => {
      const before = runs.length;
      await sleep(1_000);
      return runs.length === before;
    });
    runs.length = 0;
  }

  const names = async (): Promise<string[]> => [...(await snapshot.read(false)).readings.links.keys()];

  it('runs no program for a question while nothing changes', async () => {
    await quiet();
    for (let asked = 0; asked < 20; asked += 1) await snapshot.read(false);
    expect(runs).toEqual([]);
  });

  it('asks only for neighbours again where they are listened for', async () => {
    await quiet();
    await snapshot.read(true);
    expect(runs).toEqual(['networkctl lldp --json=short --no-pager']);
  });

  it('asks once for many questions at a time', async () => {
    await quiet();
    snapshot.changed();
    await Promise.all(Array.from({ length: 10 }, async () => snapshot.read(false)));
    expect(runs.filter((line) => line.startsWith('ip -j -d address'))).toHaveLength(1);
  });

  it('knows of a device that somebody else made', async () => {
    await quiet();
    await real.files.writeAtomic('/run/systemd/network/10-x.netdev', '[NetDev]\nName=x0\nKind=bridge\n');
    await real.programs.run(['networkctl', 'reload']);
    await eventually(async () => (await names()).includes('x0'));
  });

  it('asks the machine itself while its watch is dead, and watches again later', async () => {
    await quiet();
    watchable = false;
    watchers[0]?.stop();
    await eventually(async () => watchers.length > 1);
    runs.length = 0;
    await real.programs.run(['ip', 'link', 'set', 'enp5s0', 'name', 'other0']);
    expect(await names()).toContain('other0');
    expect(runs).not.toEqual([]);
    watchable = true;
    await eventually(async () => {
      await quiet();
      await snapshot.read(false);
      return runs.length === 0;
    });
  });
});
